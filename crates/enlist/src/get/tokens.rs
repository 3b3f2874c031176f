//! `enlist get tokens`.

use enlist_wire::Token;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;
use crate::text::word;

/// The API tokens of a tenant; never the tokens themselves
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetTokens {
    /// Those of the whole installation, in place of a tenant's
    #[arg(long, conflicts_with = "tenant")]
    installation: bool,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get tokens
  enlist get tokens --installation
  enlist -t acme get tokens -o json";

impl GetTokens {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Token>(global, &self.limit);
        list.pages(|_, _| match self.installation {
            true => client.installation_tokens(),
            false => client.tokens(tenant.as_str()),
        })?;
        list.finish()
    }
}

impl Row for Token {
    const COLUMNS: &'static [&'static str] = &[
        "label", "role", "tenant", "group", "expires", "created", "short id", "id",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.label.clone(),
            word(&self.role),
            self.tenant.clone().unwrap_or_default(),
            self.group.clone().unwrap_or_default(),
            self.expires_at
                .map_or_else(String::new, |at| at.to_string()),
            self.created_at.to_string(),
            self.short_id.clone(),
            self.token_id.to_string(),
        ]
    }
}
