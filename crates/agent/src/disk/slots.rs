//! Keys in their slots.
//!
//! A slot holds what its key store gave for the key. It is written before anything depends on the key;
//! and the key is destroyed before the slot goes, or is found by the sweep that follows.

use std::sync::Arc;

use enlist_keys::{FileKey, KeyReference, KeyStoreError};
use enlist_pki::{Certificate, Signer};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::vault::{CURRENT, SLOTS};
use super::{Disk, Keys, Vault, VaultError};
use crate::config::Quadruple;

/// A certificate and what goes with it, for programs that read files.
#[derive(Debug)]
pub struct Pair {
    /// The certificate and the CA that issued it, PEM.
    pub certificate_pem: String,
    /// The CA that issued it and the root, PEM.
    pub ca_pem: String,
    /// The key.
    pub key: PairKey,
}

/// The key of a [`Pair`].
#[derive(Debug)]
pub enum PairKey {
    /// In the clear: PKCS#8 as PEM.
    Clear(SecretString),
    /// It never leaves its store. This says where it is there, and nothing secret.
    Elsewhere(String),
}

impl<D: Disk> Vault<D> {
    /// Makes a key in this slot, in place of one that may be there, which is destroyed.
    pub fn make_key(&mut self, slot: u64) -> Result<(), VaultError> {
        self.clear(slot)?;
        let made = match self.keys_mut()?.make() {
            // What power cuts have left behind makes room.
            Err(KeyStoreError::Full { .. }) => {
                self.sweep()?;
                self.keys_mut()?.make()
            }
            made => made,
        };
        let key = made.map_err(|source| unusable(slot, source))?;
        self.keep(slot, &key)
    }

    /// Puts the key of one slot into another one too.
    pub fn keep_key(&mut self, from: u64, to: u64) -> Result<(), VaultError> {
        let key = self.reference(from)?;
        if self.reference_if_any(to)?.as_ref() == Some(&key) {
            return Ok(());
        }
        self.clear(to)?;
        self.keep(to, &key)
    }

    /// Writes a pre-enrolled identity to this slot.
    ///
    /// A key store that takes no keys from elsewhere does not get this one: it is kept as the store
    /// `file` keeps keys, until the device's first renewal, which comes at once, makes one of its own.
    pub fn adopt(&mut self, slot: u64, quadruple: &Quadruple) -> Result<(), VaultError> {
        let pem = quadruple.private_key_pem.expose_secret();
        let given = FileKey::from_pkcs8_pem(pem).map_err(|why| unusable(slot, why.into()))?;
        // Taken already, before the power went.
        let there = self.key(slot);
        if !there.is_ok_and(|key| key.public_key() == given.public_key()) {
            self.clear(slot)?;
            let imported = self.keys_mut()?.import(&given);
            let key = imported.map_err(|source| unusable(slot, source))?;
            self.keep(slot, &key)?;
        }
        let pem = |chain: &[Certificate]| chain.iter().map(Certificate::to_pem).collect::<String>();
        let above_the_leaf = quadruple.chain.get(1..).unwrap_or_default();
        self.write_certificate(slot, &pem(&quadruple.chain), &pem(above_the_leaf))
    }

    /// The key in this slot.
    pub fn key(&self, slot: u64) -> Result<Arc<dyn Signer>, VaultError> {
        let reference = self.reference(slot)?;
        let key = self.keys()?.key(&reference);
        key.map_err(|source| unusable(slot, source))
    }

    /// Certificate, CA and key of this slot, as texts.
    pub fn pair(&self, slot: u64) -> Result<Pair, VaultError> {
        let text = |name: &str| {
            let path = format!("{SLOTS}/{slot}/{name}");
            let text = self.read(&path)?.unwrap_or_default();
            Ok::<_, VaultError>(String::from_utf8_lossy(&text).into_owned())
        };
        let reference = self.reference(slot)?;
        let exported = self.keys()?.export(&reference);
        let exported = exported.map_err(|source| unusable(slot, source))?;
        Ok(Pair {
            certificate_pem: text("certificate.pem")?,
            ca_pem: text("ca.pem")?,
            key: match exported {
                Some(pem) => PairKey::Clear(pem),
                None => PairKey::Elsewhere(reference.as_str().to_owned()),
            },
        })
    }

    /// What the key store gave for the key in this slot; `None` where there is none.
    pub fn reference_if_any(&self, slot: u64) -> Result<Option<KeyReference>, VaultError> {
        for path in [key_path(slot), plain_key_path(slot)] {
            if let Some(text) = self.read(&path)? {
                return parse(path, text).map(Some);
            }
        }
        Ok(None)
    }

    /// Removes every slot but these, and destroys every key that no slot holds then.
    pub fn tidy(&mut self, keep: &[u64]) -> Result<(), VaultError> {
        for slot in self.slots()? {
            if !keep.contains(&slot) {
                self.clear(slot)?;
                self.remove(slot)?;
            }
        }
        self.sweep().map(drop)
    }

    /// Destroys every key and what keeps them, and erases every slot: for a wipe. Says of each what came
    /// of it; what fails keeps nothing else from going. May be done again.
    pub fn destroy_keys(&mut self) -> Vec<(String, Result<(), VaultError>)> {
        let mut results = Vec::new();
        let slots = match self.slots() {
            Ok(slots) => slots,
            Err(error) => {
                results.push((SLOTS.to_owned(), Err(error)));
                Vec::new()
            }
        };
        for slot in slots {
            // A reference that does not read any more leaves its key to the sweep.
            let destroyed = match self.reference_if_any(slot) {
                Ok(Some(key)) => self
                    .keys_mut()
                    .and_then(|keys| keys.destroy(&key).map_err(|why| unusable(slot, why))),
                Ok(None) | Err(VaultError::NoReference(_)) => Ok(()),
                Err(error) => Err(error),
            };
            let path = format!("{SLOTS}/{slot}");
            let erased = self.erase(&path);
            results.push((path, destroyed.and(erased)));
        }
        results.push(("key-store".to_owned(), self.empty_the_store()));
        results.push((CURRENT.to_owned(), self.erase(CURRENT)));
        results
    }

    fn empty_the_store(&mut self) -> Result<(), VaultError> {
        let failed = VaultError::KeyStore;
        let keys = self.keys_mut()?;
        // The wrapping key goes whatever the sweep meets with: without it the files are noise.
        let swept = keys.sweep(&[]);
        keys.retire().map_err(failed)?;
        swept.map(drop).map_err(failed)
    }

    /// Destroys the key in this slot, unless another slot holds it too.
    fn clear(&mut self, slot: u64) -> Result<(), VaultError> {
        let Ok(Some(key)) = self.reference_if_any(slot) else {
            // Nothing there, or nothing that reads: the sweep finds the key, if there is one.
            return Ok(());
        };
        let others = self.slots()?.into_iter().filter(|other| *other != slot);
        for other in others {
            match self.reference_if_any(other) {
                Ok(Some(held)) if held != key => {}
                Ok(None) => {}
                // The same; or one that can't be told from it.
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
        }
        self.keys_mut()?
            .destroy(&key)
            .map_err(|source| unusable(slot, source))?;
        let plain = plain_key_path(slot);
        if self.read(&plain)?.is_some() {
            self.erase(&plain)?;
        }
        Ok(())
    }

    /// Destroys what no slot holds. Nothing, as long as one of them does not read.
    fn sweep(&mut self) -> Result<usize, VaultError> {
        let mut held = Vec::new();
        for slot in self.slots()? {
            match self.reference_if_any(slot) {
                Ok(key) => held.extend(key),
                Err(VaultError::NoReference(_)) => return Ok(0),
                Err(error) => return Err(error),
            }
        }
        self.keys_mut()?.sweep(&held).map_err(VaultError::KeyStore)
    }

    fn keep(&mut self, slot: u64, key: &KeyReference) -> Result<(), VaultError> {
        self.write(&key_path(slot), key.as_str().as_bytes())
    }

    fn reference(&self, slot: u64) -> Result<KeyReference, VaultError> {
        self.reference_if_any(slot)?
            .ok_or_else(|| VaultError::KeyGone(key_path(slot)))
    }

    fn slots(&self) -> Result<Vec<u64>, VaultError> {
        let names = self.disk().list(SLOTS).map_err(|source| VaultError::Disk {
            what: SLOTS.into(),
            source,
        })?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The key stores, where they are open.
    #[must_use]
    pub fn keys_if_any(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    fn keys(&self) -> Result<&Keys, VaultError> {
        self.keys.as_ref().ok_or(VaultError::NoKeys)
    }

    fn keys_mut(&mut self) -> Result<&mut Keys, VaultError> {
        self.keys.as_mut().ok_or(VaultError::NoKeys)
    }
}

fn key_path(slot: u64) -> String {
    format!("{SLOTS}/{slot}/key")
}

/// Where earlier versions kept keys, in the clear. They are used until the next renewal makes one anew.
fn plain_key_path(slot: u64) -> String {
    format!("{SLOTS}/{slot}/key.pem")
}

fn parse(path: String, text: Vec<u8>) -> Result<KeyReference, VaultError> {
    let text = Zeroizing::new(text);
    let parsed = str::from_utf8(&text).ok().map(KeyReference::parse);
    match parsed {
        Some(Ok(key)) => Ok(key),
        _ => Err(VaultError::NoReference(path)),
    }
}

fn unusable(slot: u64, source: KeyStoreError) -> VaultError {
    VaultError::Key {
        what: key_path(slot),
        source,
    }
}
