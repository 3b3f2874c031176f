//! Secrets that stand alone in a file, or on standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use enlist_core::ProvisioningSecret;
use enlist_keys::file::is_exposed;
use secrecy::{ExposeSecret, SecretString};

use crate::failure::refused;
use crate::files::{MAX_READ, missing, open, read_needed, text_of};

/// Reads a passphrase or private key that stands alone in a file, or on standard input where the path
/// is `-`. A file that others may read is refused, as the server and the agent refuse theirs.
pub fn passphrase_or_key(path: &Path) -> anyhow::Result<SecretString> {
    if path == Path::new("-") {
        return token(path);
    }
    let file = open(path)?.ok_or_else(|| missing(path))?;
    if is_open_to_others(&file, path)
        .with_context(|| format!("`{}` can't be read", path.display()))?
    {
        let path = path.display();
        return Err(refused(
            "file-exposed",
            format!("`{path}` is open to other users: run `chmod 600 {path}`"),
        ));
    }
    alone(&text_of(file, path)?.into(), path)
}

/// The same for a token or a provisioning secret, which a shell's `>` may have written: made to be
/// handed on, it can be taken back at any time.
pub fn token(path: &Path) -> anyhow::Result<SecretString> {
    let text: SecretString = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .lock()
            .take(MAX_READ)
            .read_to_string(&mut text)
            .context("standard input can't be read")?;
        text.into()
    } else {
        read_needed(path)?.into()
    };
    alone(&text, path)
}

/// A provisioning secret, read as [`token`] reads.
pub fn provisioning(path: &Path) -> anyhow::Result<ProvisioningSecret> {
    provisioning_in(&token(path)?)
}

/// The provisioning secret that a text is.
pub fn provisioning_in(text: &SecretString) -> anyhow::Result<ProvisioningSecret> {
    ProvisioningSecret::parse(text.expose_secret().trim())
        .context("that is no provisioning secret; copy it again from where it was printed")
}

/// The mode of a systemd credential is systemd's affair: with an access list, the group's bits show.
/// What is no plain file (a pipe, a terminal) is there for whoever opened it.
fn is_open_to_others(file: &File, path: &Path) -> io::Result<bool> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|dir| !dir.is_empty());
    if credentials.is_some_and(|directory| path.starts_with(directory)) {
        return Ok(false);
    }
    Ok(file.metadata()?.is_file() && is_exposed(file)?)
}

fn alone(text: &SecretString, path: &Path) -> anyhow::Result<SecretString> {
    let text = text.expose_secret().trim();
    if text.is_empty() {
        return Err(refused(
            "secret-empty",
            format!("`{}` holds no secret; check what wrote it", path.display()),
        ));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        std::fs::write(&path, "correct horse battery staple\n").unwrap();
        let under = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            passphrase_or_key(&path)
        };
        for open in [0o644, 0o640, 0o604, 0o620] {
            let words = under(open).unwrap_err().to_string();
            assert!(words.contains("chmod 600"), "{open:o}: {words}");
            assert!(!words.contains("horse"), "{words}");
        }
        for private in [0o600, 0o400] {
            let secret = under(private).unwrap();
            assert_eq!(secret.expose_secret(), "correct horse battery staple");
        }
    }
}
