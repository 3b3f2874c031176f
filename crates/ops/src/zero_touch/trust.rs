//! Whom a tenant believes when hardware says what it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::{Digest, Group, Name, TenantId};
use enlist_pki::manufacturer::Manufacturer;

use crate::{Error, Ops};

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
    pub(crate) async fn trust(&self, tenant: &str, group: &str) -> Result<Option<Trust>, Error> {
        let (Ok(tenant), Ok(group)) = (tenant.parse::<Name>(), group.parse::<Name>()) else {
            return Ok(None);
        };
        let found = self
            .inner
            .store
            .read("trust", move |tx| {
                let Some(tenant) = tx.tenant_by_name(&tenant)? else {
                    return Ok::<_, Error>(None);
                };
                let Some(group) = tx.group_by_name(tenant.id, &group)? else {
                    return Ok(None);
                };
                Ok(Some((group, tx.manufacturer_digests(tenant.id)?)))
            })
            .await?;
        let Some((group, digests)) = found else {
            return Ok(None);
        };
        let manufacturers = self.read_manufacturers(group.tenant, digests).await?;
        Ok(Some(Trust {
            group,
            manufacturers,
        }))
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
