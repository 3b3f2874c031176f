//! `enlist migrate`: from one engine to the other.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_ops::Location;
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Global;
use crate::copying::{CopiedShown, unless_interrupted};
use crate::failure::refused;
use crate::say::say;
use crate::serve::secret;

/// Copy the whole record to another database, such as from SQLite to PostgreSQL
///
/// Stop all servers first. The source is only read. The target has to be empty; what is broken off, by whatever,
/// goes on where it stopped when the same command is run again, and until it is complete no server starts on
/// the target. At the end the rows of each table are counted and hashed on both sides. The wrapping key
/// is not in the record: it has to be brought over by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Migrate {
    /// Where the record is: sqlite:DIR (a data directory) or postgres://…
    #[arg(long, value_name = "PLACE", value_parser = secret, required = true, env = "ENLIST_MIGRATE_FROM", hide_env = true)]
    from: SecretString,
    /// Where it is to be, the same way
    #[arg(long, value_name = "PLACE", value_parser = secret, required = true, env = "ENLIST_MIGRATE_TO", hide_env = true)]
    to: SecretString,
    /// Discard an unfinished copy that is in the target, and begin again
    #[arg(long)]
    anew: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist migrate --from sqlite:/var/lib/enlist --to postgres://enlist@db.example.com/enlist
  enlist migrate --from postgres://enlist@db.example.com/enlist --to sqlite:/var/lib/enlist-new
  enlist migrate --from sqlite:enlist-data --to postgres:///enlist?host=/run/postgresql -o json

Environment:
  ENLIST_MIGRATE_FROM, ENLIST_MIGRATE_TO   as the flags; others on this machine may see flags, so a
                                           password is better here";

impl Migrate {
    /// Copies it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let from = place(&self.from, "--from")?;
        let to = place(&self.to, "--to")?;
        let (target, anew) = (to.clone(), self.anew);
        let left = "the same command goes on where it stopped, and until then no server starts on the target";
        let copied = unless_interrupted(left, move |hears| {
            enlist_ops::migrate(&from, &target, anew, hears)
        })?
        .context("the record was not moved")?;
        if copied.resumed_at > 0 {
            say!(
                "Went on behind {} rows that were copied before.",
                copied.resumed_at
            );
        }
        say!("Copied {} rows; both sides are the same.", copied.rows());
        CopiedShown::new(&copied).print(global)?;
        say!("{}", next(&to));
        Ok(())
    }
}

fn next(to: &Location) -> String {
    match to {
        Location::File(directory) => {
            let directory = directory.display();
            format!(
                "The wrapping key is not in the record. Copy `wrapping.key` (0600) into `{directory}`, then:\n  enlist serve --data {directory}"
            )
        }
        _ => "The wrapping key is not in the record: each server needs the one that it had, from DIR/wrapping.key \
              or by --wrapping-key. Then, with the URL of the target:\n  \
              ENLIST_DATABASE_URL=postgres://… enlist serve --data DIR"
            .to_owned(),
    }
}

/// Reads a place. What cannot be read is not repeated: a password may stand in it.
fn place(text: &SecretString, name: &str) -> anyhow::Result<Location> {
    let text = text.expose_secret();
    if let Some(directory) = text.strip_prefix("sqlite:").filter(|rest| !rest.is_empty()) {
        let directory = PathBuf::from(directory);
        if directory.is_file() {
            let parent = directory.parent().filter(|it| !it.as_os_str().is_empty());
            return Err(refused(
                "no-place",
                format!(
                    "{name} names a file, and not the data directory that it is in: sqlite:{}",
                    parent.unwrap_or(Path::new(".")).display()
                ),
            ));
        }
        return Ok(Location::File(directory));
    }
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Location::Postgres(text.to_owned()));
    }
    Err(refused(
        "no-place",
        format!(
            "{name} has to be sqlite:DIR, where DIR is the data directory, or postgres://user@host/database"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Location> {
        place(&text.into(), "--to")
    }

    #[test]
    fn a_place_is_a_data_directory_or_a_url() {
        assert!(
            matches!(read("sqlite:here/there"), Ok(Location::File(path)) if path == *"here/there")
        );
        assert!(matches!(read("postgres://x/y"), Ok(Location::Postgres(_))));
        assert!(matches!(
            read("postgresql://x/y"),
            Ok(Location::Postgres(_))
        ));
    }

    #[test]
    fn what_is_no_place_is_not_repeated() {
        for text in ["sqlite:", "postgres:/me:hunter2@db", "hunter2"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("sqlite:DIR"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
