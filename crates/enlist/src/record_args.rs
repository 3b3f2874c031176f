//! Which record a command works on that needs no server.

use std::path::PathBuf;

use enlist_server::{Layer, Settings};
use secrecy::SecretString;

use crate::serve;

/// Where the record is: as `enlist serve` is told.
#[derive(Debug, clap::Args)]
pub struct RecordArgs {
    /// The data directory [default: enlist-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL in place of SQLite in the data directory: postgres://… (others on this machine may
    /// see flags; ENLIST_DATABASE_URL keeps a password out of their sight)
    #[arg(long, value_name = "URL", value_parser = serve::secret)]
    database_url: Option<SecretString>,
    /// The file with the server's settings [default: server.toml in the data directory, where there is one]
    #[arg(short = 'c', long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl RecordArgs {
    /// What the server's settings come to.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let flags = Layer {
            data: self.data,
            database_url: self.database_url,
            ..Layer::default()
        };
        serve::decide_settings(flags, self.config)
    }
}
