//! The file of all names.

use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use enlist_core::Digest;

use crate::files::{Access, Draft};

/// A file with each name once, which comes to be only when it is complete.
pub struct NamesFile {
    file: BufWriter<Draft>,
    /// The names that are in it, hashed; only where a name may come twice.
    written: Option<HashSet<[u8; 16]>>,
}

impl NamesFile {
    /// Begins the file that is to stand at `path`.
    pub fn new(path: &Path, may_repeat: bool) -> anyhow::Result<Self> {
        Ok(Self {
            file: BufWriter::new(Draft::new(path, Access::Public)?),
            written: may_repeat.then(HashSet::new),
        })
    }

    /// Adds a name, unless it is there.
    pub fn add(&mut self, name: &str) -> anyhow::Result<()> {
        if let Some(written) = &mut self.written {
            let digest = Digest::of(name.as_bytes());
            let mut short = [0; 16];
            short.copy_from_slice(&digest.as_bytes()[..16]);
            if !written.insert(short) {
                return Ok(());
            }
        }
        self.file
            .write_all(name.as_bytes())
            .and_then(|()| self.file.write_all(b"\n"))
            .context("the names file can't be written")
    }

    /// Puts the file in place.
    pub fn finish(self) -> anyhow::Result<()> {
        let draft = self
            .file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .context("the names file can't be written")?;
        draft.replace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_in_it_once_and_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("names.txt");
        let mut names = NamesFile::new(&path, true).unwrap();
        for name in ["a", "b", "a"] {
            names.add(name).unwrap();
        }
        assert!(!path.exists());
        names.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\n");
    }
}
