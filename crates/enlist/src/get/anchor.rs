//! `enlist get anchor`.

use enlist_wire::IssuingCa;

use crate::cli::Global;
use crate::output::{self, Format, Row};
use crate::say::say;

/// The certificates that brokers and proxies anchor at, PEM
///
/// It is the tenant's issuing CA, signed by itself: a consumer that trusts it, and nothing else,
/// takes this tenant's devices and no other's. While the CA is rolled over there are several: the one
/// that is to follow, and those that are retired and have certificates that are still valid.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetAnchor {}

const EXAMPLES: &str = "\
Examples:
  enlist get anchor > tenant-anchor.pem
  enlist -t acme get anchor > acme-anchor.pem

In mosquitto.conf:  cafile tenant-anchor.pem  with  require_certificate true
In nginx.conf:      ssl_client_certificate tenant-anchor.pem;  with  ssl_verify_client on;";

impl GetAnchor {
    /// Prints it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let authority = client.issuing_ca(tenant.as_str())?;
        if let Some(format @ (Format::Json | Format::Csv)) = global.output {
            return output::one(format, &authority);
        }
        if authority.anchors.len() < 2 {
            say!("Brokers and proxies of tenant `{tenant}` trust this one, and nothing else.");
            return Ok(output::line(authority.anchor.trim_end())?);
        }
        say!(
            "Brokers and proxies of tenant `{tenant}` trust these, and nothing else: its issuing CA is being rolled over."
        );
        for anchor in &authority.anchors {
            output::line(anchor.trim_end())?;
        }
        Ok(())
    }
}

impl Row for IssuingCa {
    const COLUMNS: &'static [&'static str] = &["anchor", "certificate", "root"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.anchor.clone(),
            self.certificate.clone(),
            self.root.clone(),
        ]
    }
}
