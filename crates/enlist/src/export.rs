//! `enlist export …`.

mod events;
mod manufacturer;
mod part;
#[cfg(test)]
mod some;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_ops::offline_message;
use enlist_pki::Signer;
use enlist_wire::{Binary, Client, ExportRoot, TakeRootOffline};
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Global;
use crate::context::management_client;
use crate::files::{self, Access};
use crate::output;
use crate::root_key::RootKey;
use crate::say::say;
use crate::secret_file;

/// Take something out of the server, to keep it
#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Events(events::Events),
    Manufacturer(manufacturer::Manufacturer),
    Root(Root),
}

/// The root with its key, encrypted, in a file
///
/// With --take-offline the server forgets the key, once the file was read back and shown to open with the
/// passphrase and to be that key. From then on `enlist add tenant` and `enlist add ca` print a request
/// that `enlist sign ca` signs wherever the file is. There is no way to bring the key back. Backups of the
/// database that were made before still hold it, and so does PostgreSQL until VACUUM; keys of roots that
/// were retired before stay in the database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Root {
    /// Where to: key and certificate, PEM (0600)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file with the passphrase (12 characters at least; readable by its owner alone), or `-`
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    /// Have the server forget the key then
    #[arg(long)]
    take_offline: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist export root --out root-key.pem --passphrase-file passphrase.txt
  enlist export root --out root-key.pem --passphrase-file passphrase.txt --take-offline";

impl Export {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Events(events) => events.run(global),
            Noun::Manufacturer(manufacturer) => manufacturer.run(global),
            Noun::Root(root) => root.run(global),
        }
    }
}

impl Root {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let passphrase = secret_file::passphrase_or_key(&self.passphrase_file)?;
        let client = management_client(&global.settings()?)?;
        let there = self.out.symlink_metadata().is_ok();
        if there && !self.take_offline {
            return Err(files::exists(&self.out));
        }
        // A copy that was made before will do: it is read back and shown to be one below.
        if !there {
            write(&client, &passphrase, &self.out)?;
        }
        let copy = RootKey::read(&self.out, &passphrase)
            .context("the copy of the root's key can't be used; the server still has it")?;
        say!(
            "`{}` holds the root {} and its key, and opens with the passphrase.",
            self.out.display(),
            copy.certificate.fingerprint_hex()
        );
        if !self.take_offline {
            return Ok(());
        }
        // It may have been copied there a moment ago, and is soon the only one.
        files::make_durable(&self.out)?;
        let message = offline_message(&copy.certificate.fingerprint_hex());
        let signature = copy.key.sign(&message)?;
        let root = client.take_root_offline(&TakeRootOffline {
            signature: Binary(signature),
        })?;
        say!("The server has forgotten the key. Keep the file and the passphrase apart, and safe.");
        match global.output {
            Some(format) => output::one(format, &root),
            None => Ok(()),
        }
    }
}

fn write(client: &Client, passphrase: &SecretString, out: &Path) -> anyhow::Result<()> {
    let exported = client.export_root(&ExportRoot {
        passphrase: passphrase.expose_secret().to_owned().into(),
    })?;
    let text = exported.key + &exported.certificate;
    files::place_new(out, text.as_bytes(), Access::Private)
}
