//! `enlist restore`: back to a backup.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use enlist_core::{SystemClock, SystemRng};

use crate::backup::wrapping_key;
use crate::cli::Global;
use crate::copying::{CopiedShown, unless_interrupted};
use crate::record_args::RecordArgs;
use crate::say::say;
use crate::serve;

/// Put a backup back, into an empty data directory or an empty database
///
/// No server may be at work on the target; where those of before still run elsewhere, stop them before devices
/// meet both. The backup is verified before anything is written, and the copy afterwards. What is
/// broken off goes on when the same command is run again; until then no server starts on it. Each tenant's
/// events tell of it. What happened after the backup was made is not on record any more: docs/moving.md says
/// what to look after.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Discard an unfinished copy that is in the target, and begin again
    #[arg(long)]
    anew: bool,
    #[command(flatten)]
    record: RecordArgs,
}

const EXAMPLES: &str = "\
Examples:
  enlist restore --from /backup/enlist-monday.backup --data /var/lib/enlist-restored
  enlist restore --from /backup/enlist-monday.backup --config /etc/enlist/server.toml

Environment:
  ENLIST_DATA, ENLIST_DATABASE_URL   as the flags";

impl Restore {
    /// Puts it back.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = self.record.settings()?;
        let was_there = settings.data.exists();
        serve::make_data_directory(&settings.data)?;
        let (to, data_dir) = (settings.location.clone(), settings.data.clone());
        let left =
            "the same command goes on where it stopped, and until then no server starts on it";
        let copied = unless_interrupted(left, move |hears| {
            let restore = enlist_ops::Restore {
                file: &self.from,
                to: &to,
                data_dir: &data_dir,
                anew: self.anew,
                clock: &SystemClock,
                rng: Arc::new(SystemRng),
            };
            enlist_ops::restore(&restore, hears)
        });
        let copied = copied.and_then(|done| done.context("the backup was not put back"));
        if copied.is_err() && !was_there {
            // One with something in it stays.
            let _ = std::fs::remove_dir(&settings.data);
        }
        let copied = copied?;
        say!(
            "The record is back, {} rows. The wrapping key is not in a backup: bring {} back, and start the server.",
            copied.rows(),
            wrapping_key(&settings)
        );
        say!(
            "Whatever was revoked, suspended or decommissioned after the backup was made counts as good again: go through docs/moving.md before devices are let in."
        );
        CopiedShown::new(&copied).print(global)
    }
}
