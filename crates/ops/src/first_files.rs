//! The files of a first start, which are taken back where another server has been quicker: a wrapping key
//! that wraps nothing is not to be taken for the right one.

use std::io;
use std::path::{Path, PathBuf};

use enlist_core::{ApiToken, Rng, explain};
use enlist_keys::{WrappingKey, WrappingKeyError, file};
use secrecy::{ExposeSecret, SecretString};

/// The files that this start has made.
#[derive(Default)]
pub(crate) struct FirstFiles {
    wrapping_key: Option<PathBuf>,
    admin_token: Option<Token>,
}

struct Token {
    path: PathBuf,
    line: SecretString,
    /// What was there before.
    before: Option<SecretString>,
}

impl FirstFiles {
    /// The wrapping key at `path`, made where there is none.
    pub(crate) fn wrapping_key(
        &mut self,
        path: PathBuf,
        rng: &dyn Rng,
    ) -> Result<WrappingKey, WrappingKeyError> {
        match WrappingKey::load(&path) {
            Err(WrappingKeyError::Missing(_)) => {
                let key = WrappingKey::make(&path, rng)?;
                self.wrapping_key = Some(path);
                Ok(key)
            }
            other => other,
        }
    }

    /// Writes the administrator's token to `path`, in place of what an earlier start may have left there.
    pub(crate) fn admin_token(&mut self, path: &Path, token: &ApiToken) -> io::Result<()> {
        let before = read(path);
        let line = SecretString::from(format!("{}\n", token.expose()));
        file::write_private(path, line.expose_secret().as_bytes())?;
        self.admin_token = Some(Token {
            path: path.to_owned(),
            line,
            before,
        });
        Ok(())
    }

    /// Takes them back, for one who knows that the record has nothing of this start's. `is_used` says that
    /// the record was set up with this very wrapping key all the same: by another server, which was given it
    /// or shares the data directory. Then the key stays.
    pub(crate) fn take_back(self, is_used: bool, rng: &dyn Rng) {
        if let Some(path) = self.wrapping_key.filter(|_| !is_used) {
            warn_of(&path, file::erase(&path, rng));
        }
        if let Some(token) = self.admin_token {
            let found = read(&token.path);
            let is_ours =
                found.is_some_and(|found| found.expose_secret() == token.line.expose_secret());
            match token.before {
                _ if !is_ours => {}
                Some(before) => {
                    let before = before.expose_secret().as_bytes();
                    warn_of(&token.path, file::write_private(&token.path, before));
                }
                None => warn_of(&token.path, file::erase(&token.path, rng)),
            }
        }
    }
}

fn read(path: &Path) -> Option<SecretString> {
    std::fs::read_to_string(path).ok().map(SecretString::from)
}

fn warn_of(path: &Path, done: io::Result<()>) {
    if let Err(error) = done {
        let path = path.display();
        tracing::warn!(%path, error = %explain(&error), "this file belongs to no installation: remove it");
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::SystemRng;

    use super::*;

    /// A directory of this process's own.
    fn directory(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("enlist-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn a_key_that_the_record_was_set_up_with_is_never_taken_back() {
        let dir = directory("first-key");
        let path = dir.join("wrapping.key");
        for (is_used, stays) in [(true, true), (false, false)] {
            let _ = std::fs::remove_file(&path);
            let mut files = FirstFiles::default();
            files.wrapping_key(path.clone(), &SystemRng).unwrap();
            files.take_back(is_used, &SystemRng);
            assert_eq!(path.exists(), stays);
        }
        // Nor one that was there before.
        WrappingKey::make(&path, &SystemRng).unwrap();
        let mut files = FirstFiles::default();
        files.wrapping_key(path.clone(), &SystemRng).unwrap();
        files.take_back(false, &SystemRng);
        assert!(path.exists());
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_another_server_has_put_in_the_place_of_a_token_stays() {
        let dir = directory("first-token");
        let path = dir.join("admin.token");
        let mut files = FirstFiles::default();
        let token = ApiToken::generate(&SystemRng);
        files.admin_token(&path, &token).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        files.take_back(false, &SystemRng);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
