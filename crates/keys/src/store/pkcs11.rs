//! Keys that never leave a PKCS#11 token.

use std::sync::Arc;

use enlist_core::{Rng, lower_hex};
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme, Signer};
use secrecy::SecretString;

use super::{Binding, KeyReference, KeyStore, KeyStoreError, Pkcs11Spec, StoreKind, reference};
use crate::ecdsa;
use crate::file_key::FileKey;
use crate::pkcs11::{KeyId, Token};

/// Keys in a token, told apart by a random `CKA_ID` and known as ours by their label.
pub(super) struct Pkcs11Store {
    token: Token,
    rng: Arc<dyn Rng>,
}

impl Pkcs11Store {
    pub fn new(spec: Pkcs11Spec, rng: Arc<dyn Rng>) -> Self {
        let token = Token::new(spec);
        Self { token, rng }
    }

    /// The same, with sessions that stay open.
    pub fn kept(spec: Pkcs11Spec, rng: Arc<dyn Rng>) -> Self {
        let token = Token::kept(spec);
        Self { token, rng }
    }
}

impl KeyStore for Pkcs11Store {
    fn kind(&self) -> StoreKind {
        StoreKind::Pkcs11
    }

    fn binding(&self) -> Binding {
        Binding::Hardware
    }

    fn probe(&self) -> Result<(), KeyStoreError> {
        self.token.find(KeyId::default()).map(drop)
    }

    fn make(&mut self, kind: KeyKind) -> Result<KeyReference, KeyStoreError> {
        let mut id = KeyId::default();
        self.rng.fill(&mut id);
        let public = self
            .token
            .make_key(kind, id)?
            .ok_or(KeyStoreError::KeyKind {
                store: StoreKind::Pkcs11,
                kind,
            })?;
        let digest = public.digest();
        Place { id, digest }.reference()
    }

    fn import(&mut self, _key: &FileKey) -> Result<KeyReference, KeyStoreError> {
        Err(KeyStoreError::CannotImport(StoreKind::Pkcs11))
    }

    fn open(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError> {
        let place = Place::parse(key)?;
        let public = self
            .token
            .find(place.id)?
            .ok_or(KeyStoreError::Gone(StoreKind::Pkcs11))?;
        if public.digest() != place.digest {
            return Err(place.another());
        }
        Ok(Arc::new(TokenKey {
            token: self.token.clone(),
            id: place.id,
            public,
        }))
    }

    fn destroy(&mut self, key: &KeyReference) -> Result<(), KeyStoreError> {
        self.token.remove(Place::parse(key)?.id)
    }

    fn sweep(&mut self, keep: &[KeyReference]) -> Result<usize, KeyStoreError> {
        let keep = reference::own(StoreKind::Pkcs11, keep)?
            .into_iter()
            .map(|key| Place::parse(key).map(|place| place.id))
            .collect::<Result<Vec<_>, _>>()?;
        self.token.remove_others(&keep)
    }

    fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError> {
        self.open(key).map(|_| None)
    }

    fn retire(&mut self) -> Result<(), KeyStoreError> {
        Ok(())
    }
}

/// Which key it is.
struct Place {
    id: KeyId,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    digest: [u8; 32],
}

impl Place {
    fn parse(key: &KeyReference) -> Result<Self, KeyStoreError> {
        let parsed = || {
            let (id, digest) = key.as_str().trim_end().split_once(";sha256=")?;
            Some(Self {
                id: reference::from_hex(id.strip_prefix("pkcs11:id=")?)?,
                digest: reference::from_hex(digest)?,
            })
        };
        parsed().ok_or(KeyStoreError::Reference(StoreKind::Pkcs11))
    }

    fn reference(&self) -> Result<KeyReference, KeyStoreError> {
        let (id, digest) = (lower_hex(&self.id), lower_hex(&self.digest));
        KeyReference::parse(&format!("pkcs11:id={id};sha256={digest}"))
            .map_err(|_| KeyStoreError::Reference(StoreKind::Pkcs11))
    }

    fn another(&self) -> KeyStoreError {
        KeyStoreError::AnotherKey {
            store: StoreKind::Pkcs11,
            at: lower_hex(&self.id),
        }
    }
}

/// A key in the token.
struct TokenKey {
    token: Token,
    id: KeyId,
    public: PublicKey,
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = ecdsa::hash(self.public.kind(), scheme, message)?;
        let failed = |error: KeyStoreError| SignError::Failed(error.into());
        let signature = self
            .token
            .sign(self.id, &digest)
            .map_err(failed)?
            .ok_or_else(|| failed(KeyStoreError::Gone(StoreKind::Pkcs11)))?;
        // What does not verify must not go out.
        if self.public.verify(message, &signature).is_err() {
            let digest = self.public.digest();
            return Err(failed(
                Place {
                    id: self.id,
                    digest,
                }
                .another(),
            ));
        }
        Ok(signature)
    }
}
