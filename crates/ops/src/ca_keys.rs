//! The private keys of CAs: made where they are to live, and opened where they do.

mod threads;
mod token;

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{CaKey, CaKind, CaRecord, Rng, explain};
use enlist_keys::{FileKey, KeyReference, KeyStore, KeyStoreError, WrappingKey};
use enlist_pki::{Certificate, KeyKind, Signer};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::Error;
use token::Token;

/// Certificates of devices that a token is asked for at one time: more wait without a thread, and what
/// else the token has to sign always finds room.
const TURNS: usize = threads::MOST / 2;
/// How long they wait for that.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the private keys of CAs live.
pub(crate) struct CaKeys {
    wrapping: WrappingKey,
    /// Where new ones are made, if that is not here.
    token: Option<Token>,
    turns: Semaphore,
}

/// A key that was just made, and how the record has it.
pub(crate) struct MadeKey {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) key: CaKey,
}

/// A CA's key is in a token, and this server was given none.
#[derive(Debug, thiserror::Error)]
#[error(
    "a CA's key is in a PKCS#11 token, and this server has not been given one: name it with --ca-key-store, as when the key was made"
)]
pub(crate) struct NoToken;

impl CaKeys {
    /// # Errors
    /// When the threads that are to wait for the token can't be started.
    pub(crate) fn new(
        wrapping: WrappingKey,
        token: Option<Box<dyn KeyStore>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            wrapping,
            token: token.map(Token::new).transpose().map_err(Error::signing)?,
            turns: Semaphore::new(TURNS),
        })
    }

    /// What wraps the keys in the store.
    pub(crate) fn wrapping(&self) -> &WrappingKey {
        &self.wrapping
    }

    /// Makes a key for a CA. One in a token is there from now on, whether it gets on record or not:
    /// see [`CaKeys::discard`].
    pub(crate) fn make(&self, kind: KeyKind, rng: &dyn Rng) -> Result<MadeKey, Error> {
        if let Some(token) = &self.token {
            let made = token.make(kind).map_err(Error::signing)?;
            return Ok(MadeKey {
                key: CaKey::Kept(made.reference().as_str().to_owned()),
                signer: Arc::new(made),
            });
        }
        let key = FileKey::generate(kind).map_err(Error::signing)?;
        let wrapped = self.wrapping.wrap(&key, rng).map_err(Error::signing)?;
        Ok(MadeKey {
            signer: Arc::new(key),
            key: CaKey::Wrapped(wrapped),
        })
    }

    /// Removes keys that were made and did not get on record. What can't be removed stays, and is of
    /// no use to anybody.
    pub(crate) fn discard<'a>(&self, keys: impl IntoIterator<Item = &'a CaKey>) {
        for key in keys {
            if let (CaKey::Kept(text), Some(token)) = (key, &self.token)
                && let Ok(reference) = KeyReference::parse(text)
                && let Err(error) = token.destroy(reference)
            {
                tracing::warn!(error = %explain(&error), "a CA's key that nobody needs could not be removed");
            }
        }
    }

    /// The key that `certificate` is over; `None` where it is offline. One in a token is looked for when it first signs:
    /// the token may be away until then.
    ///
    /// # Errors
    /// [`Error::SignerUnavailable`] where it is in a token, and this server was given none.
    pub(crate) fn open(
        &self,
        key: &CaKey,
        certificate: &Certificate,
    ) -> Result<Option<Arc<dyn Signer>>, Error> {
        match key {
            CaKey::Wrapped(wrapped) => {
                let key = self.wrapping.unwrap(wrapped).map_err(Error::signing)?;
                Ok(Some(Arc::new(key)))
            }
            CaKey::Kept(text) => {
                let token = self.token.as_ref().ok_or_else(|| Error::signing(NoToken))?;
                let public = certificate.public_key().map_err(Error::signing)?;
                Ok(Some(Arc::new(token.signer(reference(text)?, public))))
            }
            CaKey::Offline => Ok(None),
        }
    }

    /// To be held while a device's certificate is signed, so that many that are asked for at once wait
    /// for the token without a thread. Keys that are here need none.
    ///
    /// # Errors
    /// [`Error::SignerUnavailable`] where the token does not get through what others have asked for.
    pub(crate) async fn turn(&self, in_token: bool) -> Result<Option<SemaphorePermit<'_>>, Error> {
        let Some(token) = self.token.as_ref().filter(|_| in_token) else {
            return Ok(None);
        };
        let late = || Error::signing(threads::no_answer("others wait for it, and it is slow"));
        if token.is_stuck() {
            return Err(late());
        }
        let turn = timeout(PATIENCE, self.turns.acquire()).await;
        Ok(turn.map_err(|_| late())?.ok())
    }

    /// Whether the token, where there is one, answers and holds the keys of `cas` that were made in
    /// one. For an installation that is there it may be away, which the log says.
    ///
    /// # Errors
    /// [`Error::SignerUnavailable`], which says what is wrong that does not right itself.
    pub(crate) fn check(&self, cas: &[CaRecord]) -> Result<(), Error> {
        let kept = || cas.iter().filter(|ca| matches!(ca.key, CaKey::Kept(_)));
        let Some(token) = &self.token else {
            return match kept().next() {
                Some(_) => Err(Error::signing(NoToken)),
                None => Ok(()),
            };
        };
        // Newest first: those that sign. Of a thousand tenants' keys a few stand for all.
        let service = kept().filter(|ca| ca.kind == CaKind::Service).take(1);
        let references = service.chain(kept().take(8)).map(|ca| match &ca.key {
            CaKey::Kept(text) => reference(text).map(Some),
            CaKey::Wrapped(_) | CaKey::Offline => Ok(None),
        });
        let references: Vec<_> = references.collect::<Result<_, _>>()?;
        let mut looked = token.probe();
        for reference in references.into_iter().flatten() {
            looked = looked.and_then(|()| token.holds(reference));
        }
        match looked {
            Err(error) if !cas.is_empty() && is_away(&error) => {
                tracing::warn!(error = %explain(&error), "nothing is signed with the keys of CAs that are in the token until it is back");
                Ok(())
            }
            looked => looked.map_err(Error::signing),
        }
    }
}

fn reference(text: &str) -> Result<KeyReference, Error> {
    KeyReference::parse(text)
        .map_err(|_| Error::Inconsistent("the place of a CA's key does not read"))
}

/// Whether it may be otherwise in a while, without anybody changing the settings.
fn is_away(error: &KeyStoreError) -> bool {
    matches!(
        error,
        KeyStoreError::Unreachable { .. } | KeyStoreError::Refused { .. }
    )
}
