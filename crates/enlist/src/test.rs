//! `enlist test …`.

use enlist_core::Name;

use crate::cli::Global;
use crate::failure::refused;
use crate::group_arg::GroupArg;
use crate::output;
use crate::say::say;
use crate::text::shown;

/// Try whether something works
#[derive(Debug, clap::Args)]
pub struct Test {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    /// Have the server send a webhook a `ping`, and say how it went
    #[command(after_help = EXAMPLES)]
    Webhook {
        /// The webhook
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Have the server ask a group's hook about a device that there is not, and show the answer
    #[command(after_help = HOOK_EXAMPLES)]
    Hook(GroupArg),
}

const EXAMPLES: &str = "\
Examples:
  enlist test webhook erp";

const HOOK_EXAMPLES: &str = "\
Examples:
  enlist test hook -g field-units";

impl Test {
    /// Tries it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Webhook { name } => webhook(global, &name),
            Noun::Hook(group) => hook(global, &group.group),
        }
    }
}

fn webhook(global: &Global, name: &Name) -> anyhow::Result<()> {
    let (client, tenant) = global.connect()?;
    let tested = client.test_webhook(tenant.as_str(), name.as_str())?;
    if global.output == Some(output::Format::Json) {
        output::json(&tested)?;
    }
    match tested.error {
        None => {
            say!("Webhook `{name}` has taken a ping.");
            Ok(())
        }
        Some(error) => Err(refused(
            "webhook-not-told",
            format!("webhook `{name}` has not taken a ping: {}", shown(&error)),
        )),
    }
}

/// Whatever the hook has answered, it works, unless no enrollment could follow it.
fn hook(global: &Global, group: &Name) -> anyhow::Result<()> {
    let (client, tenant) = global.connect()?;
    let tested = client.test_hook(tenant.as_str(), group.as_str())?;
    match (&tested.answer, &tested.error) {
        (Some(_), Some(why)) => Err(refused(
            "hook-unavailable",
            format!(
                "the hook of group `{group}` says yes, and no device would be let in with its answer: {}",
                shown(why)
            ),
        )),
        (Some(answer), None) => {
            say!(
                "The hook of group `{group}` answers, and would {} a made-up device.",
                if answer.allow { "let in" } else { "refuse" }
            );
            output::json(&answer)
        }
        (None, error) => Err(refused(
            "hook-unavailable",
            format!(
                "the hook of group `{group}` gives no answer of use: {}",
                shown(error.as_deref().unwrap_or("it did not say why"))
            ),
        )),
    }
}
