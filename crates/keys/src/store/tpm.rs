//! Keys that never leave a TPM 2.0.

use std::sync::Arc;

use enlist_core::lower_hex;
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme, Signer};
use secrecy::SecretString;
use tpm2_protocol::data::TpmRcBase;

use super::{
    Binding, KeyReference, KeyStore, KeyStoreError, StoreKind, TpmAddress, TpmSpec, reference,
};
use crate::ecdsa;
use crate::file_key::FileKey;
use crate::tpm::{Failure, Found, Point, Tpm};

/// Keys under the storage root key, at persistent handles of a range that is ours alone. No
/// connection is held between operations.
pub(super) struct TpmStore {
    spec: TpmSpec,
}

impl TpmStore {
    pub fn new(spec: TpmSpec) -> Self {
        Self { spec }
    }

    fn ask<T>(&self, work: impl Fn(&mut Tpm) -> Result<T, Failure>) -> Result<T, KeyStoreError> {
        let address = &self.spec.address;
        Tpm::with(address, work).map_err(|failure| failure.explain(address))
    }

    fn taken(&self) -> Result<Vec<u32>, KeyStoreError> {
        let range = &self.spec.handles;
        self.ask(|tpm| tpm.handles(range.first(), range.last()))
    }
}

impl KeyStore for TpmStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Tpm
    }

    fn binding(&self) -> Binding {
        Binding::Hardware
    }

    fn probe(&self) -> Result<(), KeyStoreError> {
        self.taken().map(drop)
    }

    fn make(&mut self, kind: KeyKind) -> Result<KeyReference, KeyStoreError> {
        let unknown = || KeyStoreError::KeyKind {
            store: StoreKind::Tpm,
            kind,
        };
        if !matches!(kind, KeyKind::P256 | KeyKind::P384) {
            return Err(unknown());
        }
        let taken = self.taken()?;
        for handle in self.spec.handles.first()..=self.spec.handles.last() {
            if taken.contains(&handle) {
                continue;
            }
            let made = self.ask(|tpm| match tpm.make_key(kind, handle) {
                // Somebody else was quicker.
                Err(failure) if failure.is(TpmRcBase::NvDefined) => Ok(None),
                made => made.map(Some),
            })?;
            let Some(made) = made else { continue };
            let public = made.as_ref().and_then(public_key).ok_or_else(unknown)?;
            let digest = public.digest();
            return Place { handle, digest }.reference();
        }
        Err(KeyStoreError::Full {
            store: StoreKind::Tpm,
            remedy: "give it a wider range with handles=0x…-0x…".into(),
        })
    }

    fn import(&mut self, _key: &FileKey) -> Result<KeyReference, KeyStoreError> {
        Err(KeyStoreError::CannotImport(StoreKind::Tpm))
    }

    fn open(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError> {
        let place = Place::parse(key)?;
        let found = match self.ask(|tpm| tpm.find(place.handle))? {
            Found::Nothing => return Err(KeyStoreError::Gone(StoreKind::Tpm)),
            Found::Other => None,
            Found::Key(point) => public_key(&point),
        };
        let public = found
            .filter(|public| public.digest() == place.digest)
            .ok_or_else(|| place.another())?;
        Ok(Arc::new(TpmKey {
            address: self.spec.address.clone(),
            handle: place.handle,
            public,
        }))
    }

    fn destroy(&mut self, key: &KeyReference) -> Result<(), KeyStoreError> {
        let place = Place::parse(key)?;
        self.ask(|tpm| match tpm.find(place.handle)? {
            Found::Key(point) if place.is_of(&point) => tpm.remove(place.handle),
            // The handle may have been given to a later key since.
            _ => Ok(()),
        })
    }

    fn sweep(&mut self, keep: &[KeyReference]) -> Result<usize, KeyStoreError> {
        let keep = reference::own(StoreKind::Tpm, keep)?
            .into_iter()
            .map(Place::parse)
            .collect::<Result<Vec<_>, _>>()?;
        let mut swept = 0;
        for handle in self.taken()? {
            if keep.iter().all(|place| place.handle != handle) {
                self.ask(|tpm| tpm.remove(handle))?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError> {
        self.open(key).map(|_| None)
    }

    fn retire(&mut self) -> Result<(), KeyStoreError> {
        Ok(())
    }
}

/// Where a key is, and which it is.
pub(crate) struct Place {
    pub handle: u32,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    digest: [u8; 32],
}

impl Place {
    pub fn parse(key: &KeyReference) -> Result<Self, KeyStoreError> {
        let parsed = || {
            let (handle, digest) = key.as_str().trim_end().split_once(";sha256=")?;
            let handle: [u8; 4] = reference::from_hex(handle.strip_prefix("tpm:0x")?)?;
            Some(Self {
                handle: u32::from_be_bytes(handle),
                digest: reference::from_hex(digest)?,
            })
        };
        parsed().ok_or(KeyStoreError::Reference(StoreKind::Tpm))
    }

    fn reference(&self) -> Result<KeyReference, KeyStoreError> {
        let digest = lower_hex(&self.digest);
        KeyReference::parse(&format!("tpm:{:#010x};sha256={digest}", self.handle))
            .map_err(|_| KeyStoreError::Reference(StoreKind::Tpm))
    }

    /// Whether it is this key that was found there.
    pub fn is_of(&self, point: &Point) -> bool {
        public_key(point).is_some_and(|public| public.digest() == self.digest)
    }

    pub fn another(&self) -> KeyStoreError {
        KeyStoreError::AnotherKey {
            store: StoreKind::Tpm,
            at: format!("{:#010x}", self.handle),
        }
    }
}

fn public_key(point: &Point) -> Option<PublicKey> {
    PublicKey::from_point(point.kind, &point.x, &point.y).ok()
}

/// A key at a persistent handle.
struct TpmKey {
    address: TpmAddress,
    handle: u32,
    public: PublicKey,
}

impl Signer for TpmKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let kind = self.public.kind();
        let digest = ecdsa::hash(kind, scheme, message)?;
        let signature = Tpm::with(&self.address, |tpm| tpm.sign(self.handle, kind, &digest))
            .map_err(|failure| SignError::Failed(failure.explain(&self.address).into()))?;
        // Another key may have come to the handle since this one was opened, with the TPM of
        // another board or by another hand. What it signs must not go out.
        signature
            .filter(|signature| self.public.verify(message, signature).is_ok())
            .ok_or_else(|| {
                let place = Place {
                    handle: self.handle,
                    digest: self.public.digest(),
                };
                SignError::Failed(place.another().into())
            })
    }
}
