//! `enlist get audit-key`.

use enlist_wire::AuditKey;

use crate::cli::Global;
use crate::failure::written;
use crate::output::{self, Format, Row};
use crate::say::say;

/// The public key that the record of events is signed with, PEM
///
/// An auditor takes it over once, by a way that can be trusted, and verifies every export with it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetAuditKey {}

const EXAMPLES: &str = "Examples:\n  enlist get audit-key > audit.pem";

impl GetAuditKey {
    /// Prints it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let key = client.audit_key(tenant.as_str())?;
        if let Some(seq) = key.broken_at {
            say!(
                "Attention: the record of tenant `{tenant}` was cut or rewritten: event {seq}, which the server had seen, is not there any more or is another one. Nothing is signed until that is cleared up: docs/audit.md says how."
            );
        }
        if let Some(format @ (Format::Json | Format::Csv)) = global.output {
            return output::one(format, &key);
        }
        say!("The fingerprint of this key is {}.", key.fingerprint);
        written(output::line(key.public_key.trim_end()))
    }
}

impl Row for AuditKey {
    const COLUMNS: &'static [&'static str] =
        &["tenant", "public_key", "fingerprint", "events", "broken_at"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.tenant.clone(),
            self.public_key.clone(),
            self.fingerprint.clone(),
            self.events.to_string(),
            self.broken_at
                .map(|seq| seq.to_string())
                .unwrap_or_default(),
        ]
    }
}
