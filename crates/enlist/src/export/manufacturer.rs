//! `enlist export manufacturer`.

use enlist_core::Name;

use crate::cli::Global;
use crate::output;

/// The CAs of a manufacturer, PEM, as they were imported
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Manufacturer {
    /// The manufacturer
    #[arg(value_name = "NAME")]
    name: Name,
}

const EXAMPLES: &str = "\
Examples:
  enlist export manufacturer acme > acme-roots.pem";

impl Manufacturer {
    /// Prints them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let manufacturer = client.manufacturer(tenant.as_str(), self.name.as_str())?;
        for ca in &manufacturer.cas {
            output::line(ca.certificate.trim_end())?;
        }
        Ok(())
    }
}
