//! Whom a tenant believes when hardware says what it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_attest::BySecret;
use enlist_core::{Digest, Group, Name, SecretRecord, TenantId};
use enlist_pki::Csr;
use enlist_pki::manufacturer::Manufacturer;

use crate::{Enrollment, Error, Ops};

/// Manufacturers that are kept read at most.
const MOST: usize = 256;

/// What a device's proof is held against.
pub(crate) struct Trust {
    pub(crate) group: Group,
    /// In the order of their names.
    pub(crate) manufacturers: Vec<Arc<Believed>>,
}

/// A manufacturer whose certificates were read.
pub(crate) struct Believed {
    pub(crate) name: Name,
    pub(crate) cas: Manufacturer,
}

/// A group, the names and digests of the manufacturers that its tenant believes, and the secret that was
/// shown, as far as it is known.
type Found = (Group, Vec<(Name, Digest)>, Option<SecretRecord>);

/// Manufacturers as they were read last, by the digest of their certificates. Which of them a tenant
/// believes is asked of the record each time, so that none is believed any longer than it is there.
#[derive(Default)]
pub(crate) struct ReadManufacturers(Mutex<HashMap<Key, Arc<Believed>>>);

/// A manufacturer's name, and the digest of its certificates.
type Key = (Name, [u8; 32]);

impl ReadManufacturers {
    fn of(&self, name: &Name, digest: Digest) -> Option<Arc<Believed>> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.get(&(name.clone(), *digest.as_bytes())).cloned()
    }

    fn keep(&self, digest: Digest, one: &Arc<Believed>) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= MOST {
            read.clear();
        }
        read.insert((one.name.clone(), *digest.as_bytes()), one.clone());
    }
}

impl Ops {
    /// Whom a device is held against that wants into a group; `None` where there is no such group.
    ///
    /// # Errors
    /// It brings a secret, and that is not one of the group's, or there is no such group: which of them,
    /// a stranger is not told.
    pub(crate) async fn trust(
        &self,
        asked: &Enrollment,
        csr: &Csr,
    ) -> Result<Option<Trust>, Error> {
        let found = self.group_asked_for(asked).await?;
        if let Some(secret) = &asked.secret {
            let evidence = BySecret {
                secret,
                csr,
                source: asked.source,
            };
            let (group, _, record) = found.as_ref().ok_or(Error::SecretWrong)?;
            evidence.verify_again(record.as_ref(), group.id)?;
        }
        let Some((group, digests, _)) = found else {
            return Ok(None);
        };
        let manufacturers = self.read_manufacturers(group.tenant, digests).await?;
        Ok(Some(Trust {
            group,
            manufacturers,
        }))
    }

    async fn group_asked_for(&self, asked: &Enrollment) -> Result<Option<Found>, Error> {
        let (Ok(tenant), Ok(group)) = (asked.tenant.parse::<Name>(), asked.group.parse::<Name>())
        else {
            return Ok(None);
        };
        let shown = asked
            .secret
            .as_ref()
            .map(|secret| secret.short_id().clone());
        self.inner
            .store
            .read("trust", move |tx| {
                let Some(tenant) = tx.tenant_by_name(&tenant)? else {
                    return Ok::<_, Error>(None);
                };
                let Some(group) = tx.group_by_name(tenant.id, &group)? else {
                    return Ok(None);
                };
                let secret = match &shown {
                    Some(shown) => tx.secret_by_short_id(tenant.id, shown)?,
                    None => None,
                };
                let digests = tx.manufacturer_digests(tenant.id)?;
                Ok(Some((group, digests, secret)))
            })
            .await
    }

    /// The manufacturers of these names, as far as they are still on record.
    pub(crate) async fn read_manufacturers(
        &self,
        tenant: TenantId,
        digests: Vec<(Name, Digest)>,
    ) -> Result<Vec<Arc<Believed>>, Error> {
        let mut manufacturers = Vec::with_capacity(digests.len());
        for (name, digest) in digests {
            if let Some(read) = self.inner.manufacturers.of(&name, digest) {
                manufacturers.push(read);
                continue;
            }
            let record = self
                .inner
                .store
                .read("manufacturer", move |tx| tx.manufacturer(tenant, &name))
                .await?;
            // Deleted since its name was read.
            let Some(record) = record else { continue };
            let cas = Manufacturer::from_pem(&record.certificates).map_err(|_| {
                Error::Inconsistent("a manufacturer's certificates that don't read")
            })?;
            let name = record.name;
            let read = Arc::new(Believed { name, cas });
            self.inner.manufacturers.keep(record.digest, &read);
            manufacturers.push(read);
        }
        Ok(manufacturers)
    }
}
