//! `enlist refresh webhook`.

use enlist_core::Name;

use crate::cli::Global;
use crate::output;
use crate::say::say;
use crate::text::shown;

/// Give a webhook another signing secret, and print it, alone
///
/// For a day requests are signed with both, so that the receiver can change over in between. Two changes
/// within a day leave the first secret without use.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshWebhook {
    /// The webhook
    #[arg(value_name = "NAME")]
    name: Name,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh webhook erp > erp.secret";

impl RefreshWebhook {
    /// Makes the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let refreshed = client.refresh_webhook(tenant.as_str(), self.name.as_str())?;
        say!(
            "Webhook `{}` has another signing secret; for a day requests are signed with the old one, too.",
            shown(&refreshed.webhook.name)
        );
        output::once(
            global.output,
            &refreshed,
            &refreshed.secret,
            "the same command",
        )
    }
}
