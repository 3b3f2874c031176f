//! `enlist get manifests`, `enlist get manifest`.

use enlist_core::Name;
use enlist_wire::{Manifest, ManifestEntriesQuery, ManifestEntry};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;

/// The manifests of a tenant: how many entries each has, and how many of them have let a device in
#[derive(Debug, clap::Args)]
#[command(after_help = MANIFESTS_EXAMPLES)]
pub struct GetManifests {
    #[command(flatten)]
    limit: LimitArg,
}

const MANIFESTS_EXAMPLES: &str = "\
Examples:
  enlist get manifests
  enlist -t acme get manifests -o json";

/// The entries of a manifest, and which device each has let in
#[derive(Debug, clap::Args)]
#[command(after_help = MANIFEST_EXAMPLES)]
pub struct GetManifest {
    /// The manifest
    #[arg(value_name = "NAME")]
    name: Name,
    /// Only those that have let no device in which is still there
    #[arg(long)]
    unused: bool,
    #[command(flatten)]
    limit: LimitArg,
}

const MANIFEST_EXAMPLES: &str = "\
Examples:
  enlist get manifest batch-7
  enlist get manifest batch-7 --unused -o csv";

impl GetManifests {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Manifest>(global, &self.limit);
        list.pages(|_, _| client.manifests(tenant.as_str()))?;
        list.finish()
    }
}

impl GetManifest {
    /// Lists its entries.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<ManifestEntry>(global, &self.limit);
        list.pages(|after, size| {
            let query = ManifestEntriesQuery {
                unused: self.unused,
                after,
                limit: Some(size),
            };
            client.manifest_entries(tenant.as_str(), self.name.as_str(), &query)
        })?;
        list.finish()
    }
}

impl Row for Manifest {
    const COLUMNS: &'static [&'static str] = &["name", "entries", "used", "created", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.entries.to_string(),
            match self.more_used {
                true => format!("{}+", self.used),
                false => self.used.to_string(),
            },
            self.created_at.to_string(),
            self.manifest_id.to_string(),
        ]
    }
}

impl Row for ManifestEntry {
    const COLUMNS: &'static [&'static str] = &["identity", "device", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.identity.clone(),
            self.device.clone().unwrap_or_default(),
            self.device_id.map_or_else(String::new, |id| id.to_string()),
        ]
    }
}
