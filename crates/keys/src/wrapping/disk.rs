//! The wrapping key's own file.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use enlist_core::Rng;
use secrecy::{ExposeSecret, SecretString};

use super::{WrappingKey, WrappingKeyError};
use crate::file;

/// More than any line that makes sense.
const LONGEST: u64 = 4096;

impl WrappingKey {
    /// Reads the key from `path`, of which the first line counts.
    ///
    /// # Errors
    /// [`WrappingKeyError::Missing`] where there is no file, and
    /// [`WrappingKeyError::Exposed`] where others may read it: nothing is read then.
    pub fn load(path: &Path) -> Result<Self, WrappingKeyError> {
        Self::read(path, true)
    }

    /// The same for a systemd credential, whose mode is systemd's affair.
    ///
    /// # Errors
    /// As [`WrappingKey::load`], but for [`WrappingKeyError::Exposed`].
    pub fn load_credential(path: &Path) -> Result<Self, WrappingKeyError> {
        Self::read(path, false)
    }

    fn read(path: &Path, private: bool) -> Result<Self, WrappingKeyError> {
        let io = |source| WrappingKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(WrappingKeyError::Missing(path.to_owned()));
            }
            Err(error) => return Err(io(error)),
        };
        if private && file::is_exposed(&file).map_err(io)? {
            return Err(WrappingKeyError::Exposed(path.to_owned()));
        }
        let text = text(file).map_err(io)?;
        if text.expose_secret().trim().is_empty() {
            return Err(WrappingKeyError::Empty(path.to_owned()));
        }
        Self::from_text(&text)
    }

    /// Makes a new random key and writes it to `path` (mode 0600), durably, so that it is
    /// there before anything is wrapped with it. Whether a new key may be made is for the
    /// caller to know: with a store that was set up before, never.
    ///
    /// # Errors
    /// Something is at `path` already, or it can't be written.
    pub fn make(path: &Path, rng: &dyn Rng) -> Result<Self, WrappingKeyError> {
        let key = Self::generate(rng);
        let line = SecretString::from(format!("{}\n", key.text.expose_secret()));
        file::write_new_private(path, line.expose_secret().as_bytes()).map_err(|source| {
            WrappingKeyError::Io {
                path: path.to_owned(),
                source,
            }
        })?;
        Ok(key)
    }
}

fn text(file: File) -> io::Result<SecretString> {
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map(|_| text)
}
