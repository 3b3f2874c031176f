//! Keys in a token, which takes its time.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use enlist_keys::{KeyReference, KeyStore, KeyStoreError, StoreKind};
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme, Signer};

use super::threads::TokenThreads;

/// The token. All that is asked of it goes through [`Token::ask`].
#[derive(Clone)]
pub(super) struct Token {
    store: Arc<Mutex<Box<dyn KeyStore>>>,
    threads: Arc<TokenThreads>,
}

/// A key in the token: looked for when it first signs, so that a token may be away until then.
pub(super) struct TokenSigner {
    token: Token,
    reference: KeyReference,
    public: PublicKey,
    opened: Arc<OnceLock<Arc<dyn Signer>>>,
}

impl Token {
    pub(super) fn new(store: Box<dyn KeyStore>) -> io::Result<Self> {
        Ok(Self {
            store: Arc::new(Mutex::new(store)),
            threads: Arc::new(TokenThreads::start()?),
        })
    }

    pub(super) fn probe(&self) -> Result<(), KeyStoreError> {
        self.ask(|store| locked(store).probe())
    }

    /// Whether it holds this key.
    pub(super) fn holds(&self, reference: KeyReference) -> Result<(), KeyStoreError> {
        self.ask(move |store| locked(store).open(&reference).map(drop))
    }

    /// Makes a key of this kind, or of another where the token has none of this.
    pub(super) fn make(&self, kind: KeyKind) -> Result<TokenSigner, KeyStoreError> {
        let (reference, opened) = self.ask(move |store| make_in(&mut **locked(store), kind))?;
        Ok(TokenSigner {
            token: self.clone(),
            reference,
            public: opened.public_key().clone(),
            opened: Arc::new(OnceLock::from(opened)),
        })
    }

    pub(super) fn signer(&self, reference: KeyReference, public: PublicKey) -> TokenSigner {
        TokenSigner {
            token: self.clone(),
            reference,
            public,
            opened: Arc::default(),
        }
    }

    pub(super) fn destroy(&self, reference: KeyReference) -> Result<(), KeyStoreError> {
        self.ask(move |store| locked(store).destroy(&reference))
    }

    /// Whether nothing can be asked of it, since it hangs.
    pub(super) fn is_stuck(&self) -> bool {
        self.threads.is_stuck()
    }

    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Mutex<Box<dyn KeyStore>>) -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let store = self.store.clone();
        self.threads.run(move || what(&store))
    }
}

impl TokenSigner {
    pub(super) fn reference(&self) -> &KeyReference {
        &self.reference
    }
}

impl Signer for TokenSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let (reference, public) = (self.reference.clone(), self.public.clone());
        let (opened, message) = (self.opened.clone(), message.to_vec());
        let signed = self.token.ask(move |store| {
            let key = match opened.get() {
                Some(key) => key.clone(),
                None => opened_key(store, &reference, &public, &opened)?,
            };
            Ok(key.sign_with(scheme, &message))
        });
        signed.map_err(|error| SignError::Failed(error.into()))?
    }
}

fn opened_key(
    store: &Mutex<Box<dyn KeyStore>>,
    reference: &KeyReference,
    public: &PublicKey,
    opened: &OnceLock<Arc<dyn Signer>>,
) -> Result<Arc<dyn Signer>, KeyStoreError> {
    let key = locked(store).open(reference)?;
    if key.public_key() != public {
        return Err(KeyStoreError::AnotherKey {
            store: StoreKind::Pkcs11,
            at: reference.as_str().to_owned(),
        });
    }
    Ok(opened.get_or_init(|| key).clone())
}

fn make_in(
    token: &mut dyn KeyStore,
    kind: KeyKind,
) -> Result<(KeyReference, Arc<dyn Signer>), KeyStoreError> {
    let reference = match token.make(kind) {
        // P-256 always will do.
        Err(KeyStoreError::KeyKind { .. }) if kind != KeyKind::P256 => token.make(KeyKind::P256),
        made => made,
    }?;
    let opened = token.open(&reference)?;
    Ok((reference, opened))
}

/// What a panic could leave behind is a key in the token that nobody knows.
pub(super) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
