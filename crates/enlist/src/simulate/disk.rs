//! The disk of a virtual device: a few kilobytes in memory.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_agent::disk::{Disk, below, names_below};

/// What many disks hold alike: the certificates of CAs. Kept once.
#[derive(Debug, Default)]
pub struct Commons(Mutex<HashSet<Arc<[u8]>>>);

/// More than this are not shared: a server has one issuing CA a tenant, and now and then the next.
const MOST_SHARED: usize = 64;

/// The files of one device. A clone is what it would find after a restart.
#[derive(Clone, Debug)]
pub struct SimDisk {
    commons: Arc<Commons>,
    entries: Vec<(Box<str>, Entry)>,
}

#[derive(Clone, Debug)]
enum Entry {
    /// What is the device's own, and what follows on it that others hold too.
    File(Box<[u8]>, Option<Arc<[u8]>>),
    Link(Box<str>),
}

impl Commons {
    fn share(&self, bytes: &[u8]) -> Option<Arc<[u8]>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = known.get(bytes) {
            return Some(shared.clone());
        }
        if known.len() >= MOST_SHARED {
            return None;
        }
        let shared: Arc<[u8]> = bytes.into();
        known.insert(shared.clone());
        Some(shared)
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new(commons: Arc<Commons>) -> Self {
        Self {
            commons,
            entries: Vec::new(),
        }
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        let found = self.entries.iter().find(|(name, _)| &**name == path);
        found.map(|(_, entry)| entry)
    }

    fn put(&mut self, path: &str, entry: Entry) {
        match self.entries.iter_mut().find(|(name, _)| &**name == path) {
            Some((_, there)) => *there = entry,
            None => {
                self.entries.reserve_exact(1);
                self.entries.push((path.into(), entry));
            }
        }
    }

    /// Of a chain, what comes after the first certificate; of a file of CAs, all of it.
    fn split(&self, path: &str, bytes: &[u8]) -> (Box<[u8]>, Option<Arc<[u8]>>) {
        let at = match path.rsplit('/').next() {
            Some("ca.pem") => Some(0),
            Some("certificate.pem") => after_the_first(bytes),
            _ => None,
        };
        let shared = at.and_then(|at| Some((at, self.commons.share(bytes.get(at..)?)?)));
        match shared {
            Some((at, shared)) => (bytes[..at].into(), Some(shared)),
            None => (bytes.into(), None),
        }
    }
}

fn after_the_first(pem: &[u8]) -> Option<usize> {
    const END: &[u8] = b"-----END CERTIFICATE-----\n";
    let at = pem.windows(END.len()).position(|part| part == END)?;
    Some(at + END.len())
}

impl Disk for SimDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(match self.entry(path) {
            Some(Entry::File(own, shared)) => {
                let shared = shared.as_deref().unwrap_or_default();
                Some([own, shared].concat())
            }
            _ => None,
        })
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let (own, shared) = self.split(path, bytes);
        self.put(path, Entry::File(own, shared));
        Ok(())
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        self.put(link, Entry::Link(target.into()));
        Ok(())
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        Ok(match self.entry(link) {
            Some(Entry::Link(target)) => Some(target.to_string()),
            _ => None,
        })
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let paths = self.entries.iter().map(|(path, _)| &**path);
        Ok(names_below(directory, paths))
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        let prefix = format!("{directory}/");
        self.entries.retain(|(name, _)| !name.starts_with(&prefix));
        self.entries.shrink_to_fit();
        Ok(())
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        let before = self.entries.len();
        let prefix = below(path);
        self.entries
            .retain(|(name, _)| &**name != path && !name.starts_with(&prefix));
        Ok(self.entries.len() != before)
    }
}

#[cfg(test)]
mod tests {
    use enlist_agent::disk::MemoryDisk;

    use super::*;

    const LEAF: &str = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n";
    const CA: &str = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n";

    #[test]
    fn it_does_as_the_agents_own_disk_in_memory_does() {
        let mut disks: [Box<dyn Disk>; 2] = [
            Box::new(MemoryDisk::default()),
            Box::new(SimDisk::new(Arc::default())),
        ];
        let seen = disks.each_mut().map(|disk| {
            let chain = format!("{LEAF}{CA}");
            disk.write("state.json", b"{}").unwrap();
            disk.write("slots/1/certificate.pem", chain.as_bytes())
                .unwrap();
            disk.write("slots/1/ca.pem", CA.as_bytes()).unwrap();
            disk.write("slots/2/certificate.pem", b"no PEM").unwrap();
            disk.point("current", "slots/1").unwrap();
            disk.write("state.json", b"{1}").unwrap();
            let mut seen = vec![
                format!("{:?}", disk.read("slots/1/certificate.pem").unwrap()),
                format!("{:?}", disk.read("slots/1/ca.pem").unwrap()),
                format!("{:?}", disk.read("slots/2/certificate.pem").unwrap()),
                format!("{:?}", disk.read("state.json").unwrap()),
                format!("{:?}", disk.read("slots").unwrap()),
                format!("{:?}", disk.target("current").unwrap()),
                format!("{:?}", disk.list("").unwrap()),
                format!("{:?}", disk.list("slots").unwrap()),
            ];
            disk.remove("slots/1").unwrap();
            seen.push(format!("{:?}", disk.list("slots").unwrap()));
            seen.push(format!("{:?}", disk.erase("slots").unwrap()));
            seen.push(format!("{:?}", disk.erase("slots").unwrap()));
            seen.push(format!("{:?}", disk.list("").unwrap()));
            seen
        });
        assert_eq!(seen[0], seen[1]);
    }

    #[test]
    fn the_certificates_of_cas_are_kept_once() {
        let commons = Arc::new(Commons::default());
        let disks: Vec<_> = (0..3)
            .map(|_| {
                let mut disk = SimDisk::new(commons.clone());
                let chain = format!("{LEAF}{CA}");
                disk.write("slots/1/certificate.pem", chain.as_bytes())
                    .unwrap();
                disk.write("slots/1/ca.pem", CA.as_bytes()).unwrap();
                disk
            })
            .collect();
        let known = commons.0.lock().unwrap();
        assert_eq!(known.len(), 1);
        let shared = known.get(CA.as_bytes()).unwrap();
        assert_eq!(Arc::strong_count(shared), 1 + 2 * disks.len());
    }
}
