//! `enlist get dead-letters`.

use enlist_core::Name;
use enlist_wire::{DeadLetter, DeadLettersQuery};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;

/// What a webhook could not be told within a day
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetDeadLetters {
    /// The webhook
    #[arg(value_name = "WEBHOOK")]
    webhook: Name,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get dead-letters erp
  enlist get dead-letters erp -o json";

impl GetDeadLetters {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<DeadLetter>(global, &self.limit);
        list.pages(|after, limit| {
            let query = DeadLettersQuery {
                after,
                limit: Some(limit),
            };
            client.dead_letters(tenant.as_str(), self.webhook.as_str(), &query)
        })?;
        list.finish()
    }
}

impl Row for DeadLetter {
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "kind",
        "device",
        "device id",
        "attempts",
        "since",
        "given up",
        "error",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            self.kind.clone().unwrap_or_default(),
            self.device.clone().unwrap_or_default(),
            self.device_id.map_or_else(String::new, |id| id.to_string()),
            self.attempts.to_string(),
            self.since.to_string(),
            self.given_up_at
                .map_or_else(String::new, |at| at.to_string()),
            self.error.clone().unwrap_or_default(),
        ]
    }
}
