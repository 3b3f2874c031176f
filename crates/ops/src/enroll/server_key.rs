//! Keys that the server makes for devices that can't (EST `serverkeygen`, RFC 7030 section 4.4).

use std::sync::{Arc, OnceLock};

use enlist_core::Digest;
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, PublicKey, Signer};
use tokio::sync::Semaphore;

use super::{Asked, Enrollment, EnrollmentOutcome};
use crate::refusals::Attempt;
use crate::{Error, Ops};

/// RSA keys that are made at one time; each takes a processor for a second or more.
static MAKING: Semaphore = Semaphore::const_new(1);

/// Whose key is to be certified.
pub(super) enum KeyOf {
    /// The CSR's.
    Csr,
    /// One that the server makes once the request is known to be good, and keeps nowhere. The
    /// CSR's key only asks for it.
    Server(OnceLock<Arc<FileKey>>),
}

impl KeyOf {
    pub(super) fn is_servers(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Who wants a key to be handed over encrypted is not given a bare one.
    pub(super) fn refuse_encryption(&self, csr: &Csr) -> Result<(), Error> {
        if self.is_servers() && csr.requested().encrypted_key {
            return Err(Error::InvalidRequest(
                "keys are handed over inside TLS and not encrypted beyond that: leave the attribute that names a key to encrypt it for out of the CSR".to_owned(),
            ));
        }
        Ok(())
    }
}

impl Asked {
    /// The key that the server has made.
    pub(super) fn made(&self) -> Option<&Arc<FileKey>> {
        match &self.certified {
            KeyOf::Csr => None,
            KeyOf::Server(made) => made.get(),
        }
    }

    /// The digest of the key that is certified.
    pub(super) fn certified_key(&self) -> Digest {
        self.made().map_or(self.key, |made| {
            Digest::from_bytes(made.public_key().digest())
        })
    }

    /// Makes the key, where the server is to make it: of the kind of the CSR's.
    pub(super) async fn make_key(&self) -> Result<Option<PublicKey>, Error> {
        let KeyOf::Server(made) = &self.certified else {
            return Ok(None);
        };
        if made.get().is_none() {
            // Whoever was first is right; nobody else has this request.
            let _ = made.set(Arc::new(make(self.csr.public_key().kind()).await?));
        }
        Ok(made.get().map(|made| made.public_key().clone()))
    }
}

/// Makes a key, off the threads that answer where that takes long.
async fn make(kind: KeyKind) -> Result<FileKey, Error> {
    let KeyKind::Rsa(bits) = kind else {
        return FileKey::generate(kind).map_err(Error::signing);
    };
    if ![2048, 3072, 4096].contains(&bits) {
        return Err(Error::InvalidRequest(format!(
            "RSA keys are made with 2048, 3072 or 4096 bits, not with {bits}"
        )));
    }
    let _turn = MAKING.acquire().await.map_err(Error::signing)?;
    tokio::task::spawn_blocking(move || FileKey::generate(kind))
        .await
        .map_err(Error::signing)?
        .map_err(Error::signing)
}

/// What came of asking for a key.
#[derive(Debug)]
pub struct KeyGenerated {
    /// As of any enrollment.
    pub outcome: EnrollmentOutcome,
    /// The key, where the device is in. It is nowhere else: once this is dropped it is gone.
    pub key: Option<Arc<FileKey>>,
}

impl Ops {
    /// Enrolls a device with a key that the server makes, of the kind of the CSR's key, which only
    /// signs the request and names it. The key is answered once and never stored. Asking again with the
    /// same key, as after a lost answer, brings another one as long as the certificate of the
    /// one before was never used here; that is revoked then.
    ///
    /// # Errors
    /// As [`Ops::enroll`].
    pub async fn generate_key(&self, enrollment: Enrollment) -> Result<KeyGenerated, Error> {
        let (tenant, source) = (enrollment.tenant.clone(), enrollment.source);
        let attempt = Attempt::of(&enrollment);
        let certified = KeyOf::Server(OnceLock::new());
        let (outcome, asked) = self.admit(enrollment, certified).await;
        match outcome {
            Ok(outcome) => {
                let is_in = matches!(outcome, EnrollmentOutcome::Enrolled(_));
                let made = asked.as_ref().and_then(|asked| asked.made());
                let key = made.filter(|_| is_in).cloned();
                Ok(KeyGenerated { outcome, key })
            }
            Err(error) => {
                let refusals = &self.inner.refusals;
                refusals.count_newcomer(&tenant, attempt, &error, source);
                Err(error)
            }
        }
    }
}
