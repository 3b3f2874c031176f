//! `enlist get signing`.

use enlist_wire::Signing;

use crate::cli::Global;
use crate::failure::written;
use crate::group_arg::GroupArg;
use crate::output::{self, Format, Row};
use crate::say::say;
use crate::text::word;

/// Who signs the configuration of a group's devices, and the public keys, as PEM
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetSigning {
    #[command(flatten)]
    group: GroupArg,
}

const EXAMPLES: &str = "Examples:\n  enlist get signing -g presses > configuration-keys.pem";

impl GetSigning {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let signing = client.signing(tenant.as_str(), group.as_str())?;
        match global.output {
            Some(format @ (Format::Json | Format::Csv)) => output::one(format, &signing),
            _ => {
                say!("Group `{group}` is signed for: {}.", word(&signing.method));
                signing
                    .keys
                    .iter()
                    .try_for_each(|key| written(output::line(key.trim_end())))
            }
        }
    }
}

impl Row for Signing {
    const COLUMNS: &'static [&'static str] = &["method", "keys"];

    fn cells(&self) -> Vec<String> {
        vec![word(&self.method), self.keys.concat()]
    }
}
