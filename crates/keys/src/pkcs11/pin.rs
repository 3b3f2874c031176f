//! Where the PIN comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::file::is_exposed;
use crate::store::{KeyStoreError, PinSource};

/// More than any PIN.
const LONGEST: u64 = 1024;

/// Reads the PIN, anew each time: it may have been changed.
pub(super) fn read(source: &PinSource) -> Result<SecretString, KeyStoreError> {
    let text = match source {
        PinSource::Environment(name) => std::env::var(name)
            .map(SecretString::from)
            .map_err(|_| no_pin(source, &format!("set {name}")))?,
        PinSource::File(path) => {
            from_file(path, true).map_err(|error| unreadable(source, &error))?
        }
        PinSource::Credential(name) => {
            let path = std::env::var_os("CREDENTIALS_DIRECTORY")
                .map(|directory| PathBuf::from(directory).join(name))
                .ok_or_else(|| {
                    no_pin(
                        source,
                        &format!(
                            "give the service LoadCredentialEncrypted={name}, or name a pin-source"
                        ),
                    )
                })?;
            // Its mode is systemd's affair.
            from_file(&path, false).map_err(|error| unreadable(source, &error))?
        }
    };
    let line = text.expose_secret().lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(no_pin(source, "write it into the first line"));
    }
    Ok(SecretString::from(line))
}

/// Names the source for people.
pub(super) fn name(source: &PinSource) -> String {
    match source {
        PinSource::File(path) => path.display().to_string(),
        PinSource::Environment(name) => format!("the environment variable {name}"),
        PinSource::Credential(name) => format!("the systemd credential {name}"),
    }
}

fn from_file(path: &Path, private: bool) -> io::Result<SecretString> {
    let file = File::open(path)?;
    if private && is_exposed(&file)? {
        let path = path.display();
        let remedy = format!("it is open to other users: run `chmod 600 {path}`");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, remedy));
    }
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map(|_| text)
}

fn no_pin(source: &PinSource, remedy: &str) -> KeyStoreError {
    KeyStoreError::Pin {
        problem: format!("{} holds no PIN", name(source)),
        remedy: remedy.to_owned(),
    }
}

fn unreadable(source: &PinSource, error: &io::Error) -> KeyStoreError {
    KeyStoreError::Pin {
        problem: format!("the PIN can't be read from {}", name(source)),
        remedy: error.to_string(),
    }
}
