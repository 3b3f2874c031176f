//! `enlist refresh hook`.

use enlist_wire::RefreshHook as Request;

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output;
use crate::say::say;
use crate::span::Span;
use crate::text::shown;

/// Give a group's hook another signing secret, and print it, alone
///
/// For the overlap requests are signed with both, so that the receiver can change over in between.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshHook {
    #[command(flatten)]
    group: GroupArg,
    /// How long requests are signed with the old one, too: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    overlap: Span,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh hook -g field-units > hook.secret
  enlist refresh hook -g field-units --overlap 0 > hook.secret";

impl RefreshHook {
    /// Makes the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let request = Request {
            overlap_s: self.overlap.0,
        };
        let group = self.group.group.as_str();
        let refreshed = client.refresh_hook(tenant.as_str(), group, &request)?;
        say!(
            "The hook of group `{}` has another signing secret.",
            shown(&refreshed.hook.group)
        );
        output::once(
            global.output,
            &refreshed,
            &refreshed.secret,
            "the same command",
        )
    }
}
