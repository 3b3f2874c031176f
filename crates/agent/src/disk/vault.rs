use std::fmt;
use std::io;
use std::sync::Arc;

use enlist_core::{HardwareIdentity, HardwareKind, Rng, lower_hex};
use enlist_keys::KeyStoreError;
use enlist_pki::{Certificate, CertificateError, Signer};

use super::{Disk, Keys};
use crate::machine::{Granted, State, UnknownState};

const STATE: &str = "state.json";
pub(super) const CURRENT: &str = "current";
pub(super) const SLOTS: &str = "slots";
const HARDWARE_ID: &str = "hardware-id";

/// What the agent keeps, on any [`Disk`].
#[derive(Debug)]
pub struct Vault<D> {
    disk: D,
    pub(super) keys: Option<Keys>,
}

/// A certificate with what belongs to it.
#[derive(Clone)]
pub struct Credentials {
    /// The certificate, and the CA that issued it.
    pub chain: Vec<Certificate>,
    /// Its key.
    pub key: Arc<dyn Signer>,
}

/// What is kept can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file system says no.
    #[error("{what} can't be read or written")]
    Disk {
        /// The file.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key that should be there is not.
    #[error("the key {0} is gone")]
    KeyGone(String),
    /// A key can't be used, or not be made.
    #[error("the key {what} can't be used")]
    Key {
        /// The file.
        what: String,
        /// Why.
        #[source]
        source: KeyStoreError,
    },
    /// What is kept of a key is damaged.
    #[error("the key {0} can't be used: it is damaged")]
    NoReference(String),
    /// The key store does not do as it is told.
    #[error("the key store can't be used")]
    KeyStore(#[source] KeyStoreError),
    /// The directory was opened for looking only.
    #[error("no key store is open")]
    NoKeys,
    /// A certificate can't be read.
    #[error("the certificate {what} can't be used")]
    Certificate {
        /// The file.
        what: String,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// The state can't be gone on from.
    #[error("state.json can't be gone on from")]
    State(#[from] UnknownState),
}

impl<D: Disk> Vault<D> {
    /// What is kept on `disk`, to look at. Keys are not opened.
    pub fn new(disk: D) -> Self {
        Self { disk, keys: None }
    }

    /// What is kept on `disk`, with the keys that are kept elsewhere.
    pub fn with_keys(disk: D, keys: Keys) -> Self {
        Self {
            disk,
            keys: Some(keys),
        }
    }

    /// The disk itself.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// The disk itself, to be written to.
    pub fn disk_mut(&mut self) -> &mut D {
        &mut self.disk
    }

    /// The disk itself, from a vault that ends here.
    #[must_use]
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// The state that was saved last; `None` on a device that is new.
    pub fn state(&self) -> Result<Option<State>, VaultError> {
        match self.read(STATE)? {
            Some(json) => Ok(Some(State::from_json(&json)?)),
            None => Ok(None),
        }
    }

    /// Saves the state.
    pub fn save(&mut self, state: &State) -> Result<(), VaultError> {
        self.write(STATE, &state.to_json())
    }

    /// The certificate in this slot with its key.
    pub fn credentials(&self, slot: u64) -> Result<Credentials, VaultError> {
        Ok(Credentials {
            chain: self.chain(slot)?,
            key: self.key(slot)?,
        })
    }

    /// The certificate in this slot, and the CA that issued it.
    pub fn chain(&self, slot: u64) -> Result<Vec<Certificate>, VaultError> {
        let path = format!("{SLOTS}/{slot}/certificate.pem");
        let pem = self.read(&path)?.unwrap_or_default();
        enlist_pki::chain_from_pem(&String::from_utf8_lossy(&pem))
            .map_err(|source| VaultError::Certificate { what: path, source })
    }

    /// Writes a certificate beside the key in this slot.
    pub fn install(&mut self, slot: u64, granted: &Granted) -> Result<(), VaultError> {
        self.write_certificate(slot, &granted.certificate_pem, &granted.ca_pem)
    }

    /// Makes this slot the one that other programs read.
    pub fn activate(&mut self, slot: u64) -> Result<(), VaultError> {
        let target = format!("{SLOTS}/{slot}");
        let failed = |source| VaultError::Disk {
            what: CURRENT.into(),
            source,
        };
        if self.disk.target(CURRENT).map_err(failed)?.as_ref() == Some(&target) {
            return Ok(());
        }
        self.disk.point(CURRENT, &target).map_err(failed)
    }

    /// The random hardware identity that was made here; `None` before that.
    pub fn hardware_id(&self) -> Result<Option<HardwareIdentity>, VaultError> {
        let text = self.read(HARDWARE_ID)?;
        Ok(text.and_then(|text| {
            HardwareIdentity::new(HardwareKind::Random, &String::from_utf8_lossy(&text)).ok()
        }))
    }

    /// The random hardware identity, made now where there is none yet.
    pub fn make_hardware_id(&mut self, rng: &dyn Rng) -> Result<HardwareIdentity, VaultError> {
        if let Some(identity) = self.hardware_id()? {
            return Ok(identity);
        }
        let mut random = [0; 16];
        rng.fill(&mut random);
        let text = lower_hex(&random);
        self.write(HARDWARE_ID, format!("{text}\n").as_bytes())?;
        Ok(HardwareIdentity::new(HardwareKind::Random, &text)
            .expect("sixteen random bytes are no placeholder"))
    }

    pub(super) fn write_certificate(
        &mut self,
        slot: u64,
        pem: &str,
        ca: &str,
    ) -> Result<(), VaultError> {
        self.write(&format!("{SLOTS}/{slot}/ca.pem"), ca.as_bytes())?;
        self.write(&format!("{SLOTS}/{slot}/certificate.pem"), pem.as_bytes())
    }

    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.disk.read(path).map_err(|source| VaultError::Disk {
            what: path.to_owned(),
            source,
        })
    }

    pub(super) fn remove(&mut self, slot: u64) -> Result<(), VaultError> {
        let path = format!("{SLOTS}/{slot}");
        self.disk
            .remove(&path)
            .map_err(|source| VaultError::Disk { what: path, source })
    }

    pub(super) fn erase(&mut self, path: &str) -> Result<(), VaultError> {
        let erased = self.disk.erase(path).map(drop);
        erased.map_err(|source| VaultError::Disk {
            what: path.to_owned(),
            source,
        })
    }

    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.disk
            .write(path, bytes)
            .map_err(|source| VaultError::Disk {
                what: path.to_owned(),
                source,
            })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
