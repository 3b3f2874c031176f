//! `enlist backup`: one moment of the record, in a file.

#[cfg(unix)]
mod leftover;

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::{Clock, SystemClock};
use enlist_ops::{Location, WrappingKeySource};
use enlist_server::Settings;

use crate::cli::Global;
use crate::copying::unless_interrupted;
use crate::files::{Access, Draft, exists_unforced};
use crate::record_args::RecordArgs;
use crate::say::say;
use crate::verify::BackupShown;

/// Write the whole record into a file, while servers are at work
///
/// The file shows one moment, with everything that was answered before, whichever engine it comes from. It was
/// read again and is durable when the command ends. The wrapping key is not in it: keep that somewhere else,
/// for whoever has both has everything.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// Where to (0600)
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    record: RecordArgs,
}

const EXAMPLES: &str = "\
Examples:
  enlist backup --data /var/lib/enlist --to /backup/enlist-monday.backup
  enlist backup --config /etc/enlist/server.toml --to /backup/latest.backup --force -o json
  enlist verify backup /backup/enlist-monday.backup

Environment:
  ENLIST_DATA, ENLIST_DATABASE_URL   as the flags";

impl Backup {
    /// Writes it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = self.record.settings()?;
        if !self.force && self.to.symlink_metadata().is_ok() {
            return Err(exists_unforced(&self.to));
        }
        let draft = Draft::new(&self.to, Access::Private)?;
        #[cfg(unix)]
        let _held = leftover::hold(draft.path())?;
        #[cfg(unix)]
        leftover::clear(draft.path());
        let (from, to) = (settings.location.clone(), draft.path().to_owned());
        let left = "no backup was made, and nothing is left of it";
        let made = unless_interrupted(left, move |hears| {
            let version = env!("CARGO_PKG_VERSION");
            enlist_ops::backup(&from, &to, version, SystemClock.now(), hears)
        })?
        .context("no backup was made")?;
        if self.force {
            draft.replace()?;
        } else if !draft.place()? {
            return Err(exists_unforced(&self.to));
        }
        say!(
            "`{}` holds the record, {} rows. It does not hold the wrapping key, without which it is of no use: keep {} as well, and somewhere else.",
            self.to.display(),
            made.rows(),
            wrapping_key(&settings)
        );
        BackupShown::new(&made).print(global)
    }
}

/// What to keep besides.
pub fn wrapping_key(settings: &Settings) -> String {
    match &settings.wrapping {
        WrappingKeySource::DataDir => {
            let path = settings.data.join("wrapping.key");
            // With a database elsewhere, the data directory may be anybody's guess.
            if matches!(settings.location, Location::Postgres(_)) && !path.is_file() {
                return "the server's wrapping key (`wrapping.key` in its data directory)"
                    .to_owned();
            }
            format!("`{}`", path.display())
        }
        WrappingKeySource::File(path) | WrappingKeySource::Credential(path) => {
            format!("`{}`", path.display())
        }
        WrappingKeySource::Text(_) => "the key of ENLIST_WRAPPING_KEY".to_owned(),
    }
}
