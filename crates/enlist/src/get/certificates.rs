//! `enlist get certificates`.

use enlist_core::Name;
use enlist_wire::{Certificate, CertificatesQuery};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;
use crate::text::word;

/// The certificates on record, those of devices that are gone among them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetCertificates {
    #[command(flatten)]
    group: AnyGroupArg,
    /// Only those of this device; needs -g
    #[arg(long, value_name = "NAME", requires = "group")]
    device: Option<Name>,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get certificates -g room2-lights
  enlist get certificates -g room2-lights --device test-device-123 -o json";

impl GetCertificates {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Certificate>(global, &self.limit);
        list.pages(|after, limit| {
            let query = CertificatesQuery {
                group: self.group.group.as_ref().map(ToString::to_string),
                device: self.device.as_ref().map(ToString::to_string),
                after,
                limit: Some(limit),
            };
            client.certificates(tenant.as_str(), &query)
        })?;
        list.finish()
    }
}

impl Row for Certificate {
    const COLUMNS: &'static [&'static str] = &[
        "serial",
        "group",
        "device",
        "status",
        "not before",
        "not after",
        "revoked",
        "reason",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.serial.clone(),
            self.group.clone(),
            self.device.clone(),
            word(&self.status),
            self.not_before.to_string(),
            self.not_after.to_string(),
            self.revoked_at
                .map_or_else(String::new, |at| at.to_string()),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}
