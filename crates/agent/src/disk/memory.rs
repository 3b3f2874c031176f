use std::collections::BTreeMap;
use std::io;

use super::{Disk, below, names_below};

/// A directory in memory: for simulations, and for tests that cut the power. A clone is what a device
/// would find after a restart.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    files: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, String>,
}

impl Disk for MemoryDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).cloned())
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), bytes.to_owned());
        Ok(())
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        self.links.insert(link.to_owned(), target.to_owned());
        Ok(())
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        Ok(self.links.get(link).cloned())
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let paths = self.files.keys().chain(self.links.keys());
        Ok(names_below(directory, paths.map(String::as_str)))
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        let prefix = format!("{directory}/");
        self.files.retain(|path, _| !path.starts_with(&prefix));
        Ok(())
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        let before = self.files.len() + self.links.len();
        let prefix = below(path);
        let stays = |name: &String| name != path && !name.starts_with(&prefix);
        self.files.retain(|name, _| stays(name));
        self.links.retain(|name, _| stays(name));
        Ok(self.files.len() + self.links.len() != before)
    }
}
