//! `enlist get manufacturers` and `enlist get manufacturer`.

use enlist_core::Name;
use enlist_wire::{Manufacturer, ManufacturerCa, ManufacturerInFull, Page};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;
use crate::text::yes_or_no;

/// The manufacturers whose hardware a tenant believes
#[derive(Debug, clap::Args)]
#[command(after_help = ALL_EXAMPLES)]
pub struct GetManufacturers {
    #[command(flatten)]
    limit: LimitArg,
}

/// The CAs of one manufacturer
#[derive(Debug, clap::Args)]
#[command(after_help = ONE_EXAMPLES)]
pub struct GetManufacturer {
    /// The manufacturer
    #[arg(value_name = "NAME")]
    name: Name,
    #[command(flatten)]
    limit: LimitArg,
}

const ALL_EXAMPLES: &str = "\
Examples:
  enlist get manufacturers
  enlist -t plant get manufacturers -o json";
const ONE_EXAMPLES: &str = "\
Examples:
  enlist get manufacturer acme
  enlist get manufacturer acme -o json";

impl GetManufacturers {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Manufacturer>(global, &self.limit);
        list.pages(|_, _| client.manufacturers(tenant.as_str()))?;
        list.finish()
    }
}

impl GetManufacturer {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<ManufacturerCa>(global, &self.limit);
        list.pages(|_, _| {
            let one = client.manufacturer(tenant.as_str(), self.name.as_str())?;
            Ok(Page::whole(one.cas))
        })?;
        list.finish()
    }
}

impl Row for Manufacturer {
    const COLUMNS: &'static [&'static str] = &["name", "CAs", "first expiry", "created"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.cas.to_string(),
            self.first_expiry
                .map_or_else(String::new, |at| at.to_string()),
            self.created_at.to_string(),
        ]
    }
}

impl Row for ManufacturerInFull {
    const COLUMNS: &'static [&'static str] = &["name", "CAs", "created"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.cas.len().to_string(),
            self.created_at.to_string(),
        ]
    }
}

impl Row for ManufacturerCa {
    const COLUMNS: &'static [&'static str] = &[
        "subject",
        "trusted by itself",
        "expires",
        "unusable",
        "fingerprint",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.subject.clone(),
            yes_or_no(self.is_anchor),
            self.not_after.to_string(),
            self.unusable.clone().unwrap_or_default(),
            self.fingerprint.clone(),
        ]
    }
}
