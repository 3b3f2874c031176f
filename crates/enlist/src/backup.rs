//! `enlist backup`: one moment of the record, in a file.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::{Clock, SystemClock};
use enlist_ops::WrappingKeySource;
use enlist_server::Settings;

use crate::cli::Global;
use crate::copying::Watch;
use crate::files::{self, Access, Draft};
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
            return Err(files::exists(&self.to));
        }
        let draft = Draft::new(&self.to, Access::Private)?;
        let mut watch = Watch::new();
        let version = env!("CARGO_PKG_VERSION");
        let made = enlist_ops::backup(
            &settings.location,
            draft.path(),
            version,
            SystemClock.now(),
            &mut |told| watch.hear(told),
        )
        .context("no backup was made")?;
        drop(watch);
        if self.force {
            draft.replace()?;
        } else if !draft.place()? {
            return Err(files::exists(&self.to));
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
            format!("`{}`", settings.data.join("wrapping.key").display())
        }
        WrappingKeySource::File(path) | WrappingKeySource::Credential(path) => {
            format!("`{}`", path.display())
        }
        WrappingKeySource::Text(_) => "the key of ENLIST_WRAPPING_KEY".to_owned(),
    }
}
