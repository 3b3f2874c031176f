//! The agent's directory, and what lies where in it.
//!
//! ```text
//! state.json                 how far the device has come, with its token
//! slots/<n>/key.pem          a private key
//! slots/<n>/certificate.pem  its certificate and the CA that issued it
//! slots/<n>/ca.pem           the issuing CA and the root
//! current -> slots/<n>       what other programs read; always a pair that fits
//! hardware-id                the random hardware identity, where there is no other
//! lock                       held by the agent that runs
//! ```

mod files;
mod memory;
mod vault;

use std::io;

pub use files::{FileDisk, Locked};
pub use memory::MemoryDisk;
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

    /// The names in a directory; none where there is no such directory.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Removes a directory with everything in it, if it is there.
    fn remove(&mut self, directory: &str) -> io::Result<()>;
}
