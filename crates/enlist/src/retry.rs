//! `enlist retry dead-letter`.

use enlist_core::Name;
use enlist_wire::RetryDeadLetters;

use crate::cli::Global;
use crate::output;
use crate::say::say;

/// Try something again that was given up
#[derive(Debug, clap::Args)]
pub struct Retry {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    /// Tell a webhook what it could not be told, for another day of tries
    ///
    /// What was told about the same device meanwhile has overtaken it: the event says when it happened.
    #[command(after_help = EXAMPLES)]
    DeadLetter {
        /// The webhook
        #[arg(value_name = "WEBHOOK")]
        webhook: Name,
        /// The event's place in the chain, as `get dead-letters` shows it
        #[arg(value_name = "SEQ", required_unless_present = "all")]
        seq: Option<u64>,
        /// All that were given up
        #[arg(long, conflicts_with = "seq")]
        all: bool,
    },
}

const EXAMPLES: &str = "\
Examples:
  enlist retry dead-letter erp 4711
  enlist retry dead-letter erp --all";

impl Retry {
    /// Has it tried again.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let Noun::DeadLetter { webhook, seq, .. } = self.noun;
        let (client, tenant) = global.connect()?;
        let which = RetryDeadLetters { seq };
        let retried = client.retry_dead_letters(tenant.as_str(), webhook.as_str(), &which)?;
        match retried.retried {
            0 => say!("Webhook `{webhook}` has no dead letters."),
            1 => say!("1 dead letter is tried again."),
            many => say!("{many} dead letters are tried again."),
        }
        match global.output {
            Some(output::Format::Json) => output::json(&retried),
            _ => Ok(()),
        }
    }
}
