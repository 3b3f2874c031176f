//! Issuing CAs, as they are printed.

use enlist_core::{Name, lower_hex};
use enlist_pki::Csr;
use enlist_wire::{Ca, CaAdded, CaRequest};

use crate::cli::Global;
use crate::output::{self, Row};
use crate::say::say;
use crate::text::word;

/// Prints what came of asking for a CA: the request, where somebody has to sign that first.
pub fn show_added(global: &Global, tenant: &Name, added: &CaAdded) -> anyhow::Result<()> {
    if let Some(request) = &added.request {
        return show_request(global, tenant, request);
    }
    match (global.output, &added.ca) {
        (Some(format), Some(ca)) => output::one(format, ca),
        _ => Ok(()),
    }
}

/// Prints a request, and says who signs it.
pub fn show_request(global: &Global, tenant: &Name, request: &CaRequest) -> anyhow::Result<()> {
    say!(
        "The issuing CA of tenant `{tenant}` has to be signed: `enlist sign ca REQUEST --root-key FILE` where the root's key is, or by a root of your own (a CA with pathlen:0)."
    );
    let csr = Csr::from_pem(&request.csr)?;
    say!("Its key has the fingerprint {}.", key_fingerprint(&csr));
    say!("Then: enlist -t {tenant} import ca CERTIFICATE");
    match global.output {
        Some(format) => output::one(format, request),
        None => Ok(output::line(request.csr.trim_end())?),
    }
}

/// SHA-256 of the key of a request, in hexadecimal: what two people compare.
pub fn key_fingerprint(csr: &Csr) -> String {
    lower_hex(&csr.public_key().digest())
}

impl Row for Ca {
    const COLUMNS: &'static [&'static str] = &[
        "standing",
        "fingerprint",
        "expires",
        "signed by",
        "key",
        "unexpired",
        "last expiry",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        let last = self.last_expiry.map(|at| at.to_string());
        let signed_by = if self.chain.is_empty() {
            "our root"
        } else {
            "outside root"
        };
        vec![
            word(&self.standing),
            self.fingerprint.clone(),
            self.not_after.to_string(),
            signed_by.to_owned(),
            word(&self.key),
            self.unexpired.to_string(),
            last.unwrap_or_default(),
            self.ca_id.to_string(),
        ]
    }
}

impl Row for CaRequest {
    const COLUMNS: &'static [&'static str] = &["renews", "created", "request"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.renews.to_string(),
            self.created_at.to_string(),
            self.csr.clone(),
        ]
    }
}
