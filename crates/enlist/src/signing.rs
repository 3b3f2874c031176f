//! Signing with a key of the operators' own: a key file, or a command that holds it.

mod command;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use enlist_keys::FileKey;
use enlist_pki::{PublicKey, Signer};

use crate::failure::refused;
use crate::files;
use crate::secret_file;
use command::CommandKey;

const HEADING: &str = "Options of every command";

/// Who signs configuration for devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SigningMethod {
    /// The server, with the tenant's key
    Remote,
    /// A key file of yours
    Local,
    /// A command of yours
    External,
}

impl SigningMethod {
    /// The same, as the wire has it.
    pub const fn on_the_wire(self) -> enlist_wire::SigningMethod {
        match self {
            Self::Remote => enlist_wire::SigningMethod::Remote,
            Self::Local => enlist_wire::SigningMethod::Local,
            Self::External => enlist_wire::SigningMethod::External,
        }
    }
}

/// How this command signs.
#[derive(Debug, Default, clap::Args)]
pub struct SigningArgs {
    /// Who signs what devices are to believe: remote (the server), local (a key file of yours) or
    /// external (a command of yours) [default: remote]
    #[arg(long, global = true, value_name = "METHOD", value_enum, hide_possible_values = true, help_heading = HEADING)]
    pub signing_method: Option<SigningMethod>,
    /// With local: your private key, PEM, unencrypted (`openssl genpkey -algorithm EC -pkeyopt
    /// ec_paramgen_curve:P-256 -out signing.pem` makes one)
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub signing_key: Option<PathBuf>,
    /// With external: the command that signs; it is given the message on standard input and writes the
    /// bare signature to standard output (ECDSA as DER) within a minute
    #[arg(long, global = true, value_name = "COMMAND", help_heading = HEADING)]
    pub signing_command: Option<String>,
    /// Public keys, PEM: first the one that your command signs with, where that is not clear; then those
    /// of others who sign for the group, whose earlier statements you believe
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub signing_public_key: Option<PathBuf>,
}

impl SigningArgs {
    /// Who is to sign: the server, unless told otherwise.
    pub fn method(&self) -> SigningMethod {
        self.signing_method.unwrap_or(SigningMethod::Remote)
    }

    /// Whether the operators sign.
    pub fn is_own(&self) -> bool {
        self.method() != SigningMethod::Remote
    }

    /// Refuses what contradicts itself.
    pub fn check(&self) -> anyhow::Result<()> {
        let wrong = |words| Err(refused("signing-arguments", words));
        match self.method() {
            SigningMethod::Local if self.signing_command.is_some() => {
                wrong("--signing-command goes with --signing-method=external")
            }
            SigningMethod::External if self.signing_key.is_some() => {
                wrong("--signing-key goes with --signing-method=local")
            }
            SigningMethod::Remote
                if self.signing_key.is_some()
                    || self.signing_command.is_some()
                    || self.signing_public_key.is_some() =>
            {
                wrong("the server signs: say --signing-method=local or external to sign yourself")
            }
            _ => Ok(()),
        }
    }

    /// The key to sign with, which must be one of `keys` (PEM); `None` where the server signs.
    ///
    /// # Errors
    /// There is no such key, or it is none of those.
    pub fn signer(&self, keys: &[String]) -> anyhow::Result<Option<Box<dyn Signer>>> {
        let keys: Vec<PublicKey> = keys
            .iter()
            .map(|pem| PublicKey::from_pem(pem).context("a key of the group can't be read"))
            .collect::<Result<_, _>>()?;
        let signer: Box<dyn Signer> = match self.method() {
            SigningMethod::Remote => return Ok(None),
            SigningMethod::Local => Box::new(self.file_key()?),
            SigningMethod::External => Box::new(self.command_key(&keys)?),
        };
        if keys.contains(signer.public_key()) {
            return Ok(Some(signer));
        }
        Err(refused(
            "signing-key-unknown",
            "this key is not one of those that may sign for the group: `enlist get signing` shows them",
        ))
    }

    /// Whose earlier statements are believed when they are signed anew: the key of `signer`, and those that
    /// were named beside it. What the server says of a group's keys counts for nothing here: it could name
    /// one of its own, and have its words signed.
    ///
    /// # Errors
    /// The file with the keys can't be read.
    pub fn believed(&self, signer: &dyn Signer) -> anyhow::Result<Vec<PublicKey>> {
        let mut keys = vec![signer.public_key().clone()];
        if let Some(path) = &self.signing_public_key {
            keys.extend(public_keys(path)?);
        }
        Ok(keys)
    }

    /// The public keys of those that were named here; none where none was.
    ///
    /// # Errors
    /// A file that was named can't be read.
    pub fn named(&self) -> anyhow::Result<Vec<PublicKey>> {
        match (&self.signing_key, &self.signing_public_key) {
            (Some(_), _) => self.believed(&self.file_key()?),
            (None, Some(path)) => public_keys(path),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The public keys, PEM, that a new group is to be signed for with.
    ///
    /// # Errors
    /// The method needs a key, and none is named.
    pub fn public_keys(&self) -> anyhow::Result<Vec<String>> {
        if !self.is_own() {
            return Ok(Vec::new());
        }
        if let Some(path) = &self.signing_public_key {
            let keys = public_keys(path)?;
            return Ok(keys.iter().map(PublicKey::to_pem).collect());
        }
        match self.method() {
            SigningMethod::Local => Ok(vec![self.file_key()?.public_key().to_pem()]),
            _ => Err(refused(
                "signing-arguments",
                "name the public key of your signing command: --signing-public-key FILE",
            )),
        }
    }

    fn file_key(&self) -> anyhow::Result<FileKey> {
        let path = self.signing_key.as_deref().ok_or_else(|| {
            refused(
                "signing-arguments",
                "name your private key: --signing-key FILE",
            )
        })?;
        let text = secret_file::passphrase_or_key(path)?;
        FileKey::from_pkcs8_pem(secrecy::ExposeSecret::expose_secret(&text))
            .with_context(|| format!("the key in `{}` can't be used", path.display()))
    }

    fn command_key(&self, keys: &[PublicKey]) -> anyhow::Result<CommandKey> {
        let command = self.signing_command.clone().ok_or_else(|| {
            refused(
                "signing-arguments",
                "name your signing command: --signing-command COMMAND",
            )
        })?;
        let public = match (&self.signing_public_key, keys) {
            (Some(path), _) => public_keys(path)?.remove(0),
            (None, [only]) => only.clone(),
            (None, _) => {
                return Err(refused(
                    "signing-arguments",
                    "the group has several keys: say which one your command signs with, by --signing-public-key FILE",
                ));
            }
        };
        Ok(CommandKey::new(command, public))
    }
}

/// The public keys in a file: one at least.
fn public_keys(path: &Path) -> anyhow::Result<Vec<PublicKey>> {
    let text = files::read_needed(path)?;
    let unusable = || format!("`{}` holds no public key that can be used", path.display());
    let keys = PublicKey::all_from_pem(&text).with_context(unusable)?;
    if keys.is_empty() {
        anyhow::bail!(unusable());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use enlist_pki::KeyKind;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_that_the_group_does_not_know_signs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signing.pem");
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let pem = key.to_pkcs8_pem().unwrap();
        enlist_keys::file::write_private(&path, pem.expose_secret().as_bytes()).unwrap();
        let args = SigningArgs {
            signing_method: Some(SigningMethod::Local),
            signing_key: Some(path),
            ..SigningArgs::default()
        };
        let own = args.public_keys().unwrap();
        assert_eq!(own, [key.public_key().to_pem()]);
        assert!(args.signer(&own).unwrap().is_some());
        let other = FileKey::generate(KeyKind::P256).unwrap();
        assert!(args.signer(&[other.public_key().to_pem()]).is_err());
        assert!(args.signer(&[]).is_err());
    }

    #[test]
    fn earlier_statements_are_believed_by_the_keys_that_were_named_here() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("others.pem");
        let [own, first, second] = [(); 3].map(|()| FileKey::generate(KeyKind::P256).unwrap());
        let [first, second] = [first.public_key().clone(), second.public_key().clone()];
        std::fs::write(&path, first.to_pem() + &second.to_pem()).unwrap();
        let alone = SigningArgs::default();
        let own_key = own.public_key().clone();
        assert!(alone.believed(&own).unwrap() == std::slice::from_ref(&own_key));
        let with_others = SigningArgs {
            signing_public_key: Some(path.clone()),
            ..SigningArgs::default()
        };
        let believed = with_others.believed(&own).unwrap();
        assert_eq!(believed, [own_key, first, second]);
        std::fs::write(&path, "no key").unwrap();
        assert!(with_others.believed(&own).is_err());
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        let key = || Some(PathBuf::from("key.pem"));
        let remote = SigningArgs {
            signing_key: key(),
            ..SigningArgs::default()
        };
        let external = SigningArgs {
            signing_method: Some(SigningMethod::External),
            signing_key: key(),
            ..SigningArgs::default()
        };
        assert!(remote.check().is_err());
        assert!(external.check().is_err());
        assert!(SigningArgs::default().check().is_ok());
    }
}
