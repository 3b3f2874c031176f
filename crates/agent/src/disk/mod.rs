//! The agent's directory, and what lies where in it.
//!
//! ```text
//! state.json                 how far the device has come, with its token
//! slots/<n>/key              what the key store gave for a private key: the key, encrypted, or its place
//! slots/<n>/certificate.pem  its certificate and the CA that issued it
//! slots/<n>/ca.pem           the issuing CA and the root
//! current -> slots/<n>       what other programs read; always a pair that fits
//! identity.json              the hardware that the device enrolled on
//! anchors.pem                roots that were taken beside those of the configuration file
//! floor                      a time that has certainly been reached, and how far ahead the system's clock was then
//! trouble.json               the refusal that the agent is waiting out, if there is one
//! wrapping.key               what the keys are encrypted with, where there is no better place for it
//! wrapping.sealed            the same, sealed by the TPM
//! hardware-id                the random hardware identity, where there is no other
//! wipe.json                  the journal of a wipe: as long as it is there, nothing else is done
//! wipe-request               somebody at the device wants it wiped
//! receipt.json               the receipt of a wipe, where somebody is to have it
//! lock                       held by the agent that runs
//! ```

mod erase;
mod files;
mod kept;
mod keys;
mod memory;
mod slots;
mod vault;

use std::io;

pub(crate) use erase::{NotErased, erase, whereabouts};
pub use files::{FileDisk, Locked};
pub use kept::KeptTrouble;
pub use keys::Keys;
pub use memory::MemoryDisk;
pub use slots::{Pair, PairKey};
pub use vault::{Credentials, Vault, VaultError};

/// The few things that the agent does with files, each of them durable once it returns, and each done
/// whole or not at all when the power goes. Paths are relative, with `/`.
pub trait Disk {
    /// The content of a file; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes a file that the owner alone may read, in place of what may be there, making directories
    /// as needed.
    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes `link` a symbolic link to `target`, in place of what it may be.
    fn point(&mut self, link: &str, target: &str) -> io::Result<()>;

    /// Where a symbolic link points; `None` where there is none.
    fn target(&self, link: &str) -> io::Result<Option<String>>;

    /// The names in a directory; none where there is no such directory. `""` is the directory itself.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Removes a directory with everything in it, if it is there.
    fn remove(&mut self, directory: &str) -> io::Result<()>;

    /// Removes a file, a link, or a directory with everything in it, after overwriting what it held as far
    /// as the medium allows. Whether there was anything.
    fn erase(&mut self, path: &str) -> io::Result<bool>;
}

impl<D: Disk + ?Sized> Disk for &mut D {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).write(path, bytes)
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        (**self).point(link, target)
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        (**self).target(link)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        (**self).list(directory)
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        (**self).remove(directory)
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        (**self).erase(path)
    }
}

/// What the paths of all that lies below a directory begin with; `""` is the root.
pub fn below(directory: &str) -> String {
    match directory {
        "" => String::new(),
        directory => format!("{directory}/"),
    }
}

/// The names that lie in a directory, as [`Disk::list`] has them, of a disk that holds these paths.
pub fn names_below<'a>(directory: &str, paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let prefix = below(directory);
    let mut names: Vec<String> = paths
        .filter_map(|path| path.strip_prefix(&prefix)?.split('/').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}
