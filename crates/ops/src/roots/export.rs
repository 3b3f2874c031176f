//! The root's key leaves the server: as an encrypted copy, and then for good.

use enlist_core::{Actor, CaKey, Event, Operator, RootRecord, Timestamp, explain};
use enlist_keys::{FileKey, WrappingKey};
use enlist_pki::Certificate;
use enlist_store::Tx;
use secrecy::SecretString;

use super::RootView;
use crate::authorities::read;
use crate::{Error, Ops, scope};

/// The root with its key.
#[derive(Debug, Clone)]
pub struct RootExported {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key, encrypted with the passphrase that was given: PEM, `ENCRYPTED PRIVATE KEY` (PKCS#8,
    /// PBES2).
    pub key_pem: String,
}

/// What a copy of the root's key signs to show that it works: `fingerprint` is the SHA-256 of the root's
/// certificate in lowercase hexadecimal.
pub fn offline_message(fingerprint: &str) -> Vec<u8> {
    format!("enlist: take the root {fingerprint} offline").into_bytes()
}

impl Ops {
    /// The current root and its key, encrypted with `passphrase`.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, the key is not here or in a token that does not hand
    /// it out, or the passphrase is too short.
    pub async fn export_root(
        &self,
        who: &Operator,
        passphrase: SecretString,
    ) -> Result<RootExported, Error> {
        scope::installation(who)?;
        let root = self.inner.store.read("export_root_look", current).await?;
        let key = match &root.ca.key {
            CaKey::Wrapped(wrapped) => self.inner.authorities.wrapping().unwrap(wrapped),
            CaKey::Kept(_) => return Err(Error::RootInToken),
            CaKey::Offline => return Err(Error::RootOffline),
        };
        let key = key.map_err(Error::signing)?;
        let rng = self.inner.rng.clone();
        // Stretching a passphrase takes its time, and other requests must not wait for it.
        let encrypted = tokio::task::spawn_blocking(move || encrypt(&key, &passphrase, &*rng));
        let key_pem = encrypted.await.map_err(Error::signing)??;
        let certificate = read(&root.ca)?;
        let (by, now) = (Actor::Operator(who.token), self.now());
        let fingerprint = certificate.fingerprint_hex();
        self.inner
            .store
            .write("export_root", move |tx| {
                tell_all(tx, "root-exported", &fingerprint, &by, now)
            })
            .await?;
        Ok(RootExported {
            certificate,
            key_pem,
        })
    }

    /// Forgets the key of the current root. `signature` is that of a copy of it over
    /// [`offline_message`]: without a copy that works nothing is forgotten.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, the key is not here, or the signature is not its.
    pub async fn take_root_offline(
        &self,
        who: &Operator,
        signature: Vec<u8>,
    ) -> Result<RootView, Error> {
        scope::installation(who)?;
        let (by, now) = (Actor::Operator(who.token), self.now());
        let view = self
            .inner
            .store
            .write("take_root_offline", move |tx| {
                let mut root = tx
                    .current_root()?
                    .ok_or(Error::Inconsistent("the root is missing"))?;
                match &root.ca.key {
                    CaKey::Wrapped(_) => {}
                    CaKey::Kept(_) => return Err(Error::RootInToken),
                    CaKey::Offline => return Err(Error::RootOffline),
                }
                let certificate = read(&root.ca)?;
                let fingerprint = certificate.fingerprint_hex();
                let key = certificate.public_key().map_err(Error::signing)?;
                key.verify(&offline_message(&fingerprint), &signature)
                    .map_err(|_| Error::RootNotShown)?;
                if tx.offered_roots()?.len() > 1 {
                    // It may have to vouch for the next one once more.
                    return Err(Error::RolloverUnderWay);
                }
                if !tx.forget_root_key(root.ca.id)? {
                    return Err(Error::RootOffline);
                }
                tell_all(tx, "root-taken-offline", &fingerprint, &by, now)?;
                root.ca.key = CaKey::Offline;
                RootView::of(&root)
            })
            .await?;
        self.follow_roots().await?;
        self.empty_log().await;
        Ok(view)
    }

    /// The store's log would hold the key for a while yet.
    async fn empty_log(&self) {
        let inner = self.inner.clone();
        let emptied = tokio::task::spawn_blocking(move || inner.store.empty_log()).await;
        if let Err(error) = emptied.map_err(Error::signing).and_then(|done| Ok(done?)) {
            tracing::warn!(error = %explain(&error), "the log of the database may hold the root's key for a while yet");
        }
    }
}

fn current(tx: &mut Tx<'_>) -> Result<RootRecord, Error> {
    tx.current_root()?
        .ok_or(Error::Inconsistent("the root is missing"))
}

fn encrypt(
    key: &FileKey,
    passphrase: &SecretString,
    rng: &dyn enlist_core::Rng,
) -> Result<String, Error> {
    let invalid = |error: enlist_keys::WrappingKeyError| Error::InvalidRequest(error.to_string());
    let wrapping = WrappingKey::from_text(passphrase).map_err(invalid)?;
    wrapping.wrap_pem(key, rng).map_err(Error::signing)
}

fn tell_all(
    tx: &mut Tx<'_>,
    kind: &'static str,
    fingerprint: &str,
    by: &Actor,
    now: Timestamp,
) -> Result<(), Error> {
    for tenant in tx.tenants()? {
        let event = Event::new(kind, tenant.subject(), by.clone(), now);
        tx.append(&event.with("root", fingerprint))?;
    }
    Ok(())
}
