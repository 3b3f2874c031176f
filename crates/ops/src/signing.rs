//! The keys that sign for a tenant: configuration for its devices, and commands to them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use enlist_ca::CA_KEY;
use enlist_core::{
    Clock, Digest, Rng, Signing, SigningKeyRecord, SigningMethod, SigningPurpose, TenantId,
};
use enlist_keys::{FileKey, WrappingKey};
use enlist_pki::{PublicKey, Signer};

use crate::{Error, Ops};

/// The most keys that may sign for one group.
const MOST_KEYS: usize = 8;

/// A key that signs for a tenant, unwrapped.
pub(crate) struct SigningKey {
    pub(crate) signer: Arc<dyn Signer>,
    public_pem: Arc<str>,
}

impl SigningKey {
    /// Its public half, PEM.
    pub(crate) fn public_pem(&self) -> Arc<str> {
        self.public_pem.clone()
    }
}

/// The keys that were needed so far.
#[derive(Default)]
pub(crate) struct SigningKeys {
    known: RwLock<HashMap<(TenantId, SigningPurpose), Arc<SigningKey>>>,
}

impl SigningKeys {
    fn known(&self, tenant: TenantId, purpose: SigningPurpose) -> Option<Arc<SigningKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&(tenant, purpose)).cloned()
    }
}

/// Makes the keys of a new tenant.
pub(crate) fn make_all(
    wrapping: &WrappingKey,
    tenant: TenantId,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<Vec<SigningKeyRecord>, Error> {
    SigningPurpose::ALL
        .into_iter()
        .map(|purpose| make(wrapping, tenant, purpose, clock, rng))
        .collect()
}

fn make(
    wrapping: &WrappingKey,
    tenant: TenantId,
    purpose: SigningPurpose,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<SigningKeyRecord, Error> {
    let key = FileKey::generate(CA_KEY).map_err(Error::signing)?;
    let spki = key.public_key().spki_der().to_vec();
    Ok(SigningKeyRecord {
        tenant,
        purpose,
        key: Digest::of(&spki),
        spki,
        wrapped_key: wrapping.wrap(&key, rng).map_err(Error::signing)?,
        created_at: clock.now(),
    })
}

/// Checks who is to sign for a group.
pub(crate) fn check(signing: &Signing) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::InvalidRequest(format!("signing: {why}")));
    match signing.method {
        SigningMethod::Remote if signing.keys.is_empty() => return Ok(()),
        SigningMethod::Remote => {
            return refuse("with `remote` the server signs: give no keys, or another method");
        }
        SigningMethod::Local | SigningMethod::External => {}
    }
    if !(1..=MOST_KEYS).contains(&signing.keys.len()) {
        return refuse("give 1 to 8 public keys as PEM");
    }
    public_keys(signing).map(drop)
}

/// The public keys that may sign for a group by themselves; none where the server signs.
pub(crate) fn public_keys(signing: &Signing) -> Result<Vec<PublicKey>, Error> {
    signing
        .keys
        .iter()
        .map(|pem| {
            PublicKey::from_pem(pem).map_err(|error| {
                Error::InvalidRequest(format!("signing: a public key is not taken: {error}"))
            })
        })
        .collect()
}

impl Ops {
    /// The key that signs for a tenant. A tenant of an older database gets one now.
    pub(crate) async fn signing_key(
        &self,
        tenant: TenantId,
        purpose: SigningPurpose,
    ) -> Result<Arc<SigningKey>, Error> {
        let keys = &self.inner.signing_keys;
        if let Some(key) = keys.known(tenant, purpose) {
            return Ok(key);
        }
        let found = self
            .inner
            .store
            .read("signing_key", move |tx| {
                Ok::<_, Error>(tx.signing_key(tenant, purpose)?)
            })
            .await?;
        let record = match found {
            Some(record) => record,
            None => self.make_signing_key(tenant, purpose).await?,
        };
        let key = Arc::new(self.unwrap(&record)?);
        let mut known = keys.known.write().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry((tenant, purpose)).or_insert(key).clone())
    }

    async fn make_signing_key(
        &self,
        tenant: TenantId,
        purpose: SigningPurpose,
    ) -> Result<SigningKeyRecord, Error> {
        let wrapping = self.inner.authorities.wrapping();
        let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
        let made = make(wrapping, tenant, purpose, clock, rng)?;
        self.inner
            .store
            .write("make_signing_key", move |tx| {
                if tx.insert_signing_key(&made)? {
                    return Ok(made.clone());
                }
                // Another server was quicker.
                tx.signing_key(tenant, purpose)?
                    .ok_or(Error::Inconsistent("a signing key came and went"))
            })
            .await
    }

    fn unwrap(&self, record: &SigningKeyRecord) -> Result<SigningKey, Error> {
        let wrapping = self.inner.authorities.wrapping();
        let key = wrapping
            .unwrap(&record.wrapped_key)
            .map_err(Error::signing)?;
        Ok(SigningKey {
            public_pem: key.public_key().to_pem().into(),
            signer: Arc::new(key),
        })
    }
}
