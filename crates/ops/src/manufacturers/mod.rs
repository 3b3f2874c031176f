//! Manufacturers whose hardware a tenant believes.

mod bundle;

use enlist_core::{
    Actor, Digest, Event, ManufacturerRecord, Name, Operator, Role, Tenant, Timestamp, lower_hex,
};
use enlist_pki::Certificate;

use crate::zero_touch::Believed;
use crate::{Error, Ops, What, scope};
use bundle::Bundle;

/// Manufacturers that a tenant may have.
const MOST: usize = 64;

/// A manufacturer that a tenant believes.
#[derive(Debug, Clone)]
pub struct ManufacturerView {
    /// What the tenant calls it.
    pub name: Name,
    /// Its CAs, in the order in which they were imported.
    pub cas: Vec<ManufacturerCa>,
    /// When it was imported first.
    pub created_at: Timestamp,
}

/// One of a manufacturer's CAs.
#[derive(Debug, Clone)]
pub struct ManufacturerCa {
    /// Its certificate.
    pub certificate: Certificate,
    /// Whether a path may end at it: it is a root, or nothing above it was imported.
    pub is_anchor: bool,
    /// Why no path leads over it, where that is so.
    pub unusable: Option<String>,
}

impl Ops {
    /// Believes a manufacturer from now on: roots, and any CAs between, PEM. Where there is one of this
    /// name already, these take the place of its CAs. Importing the same again changes nothing.
    ///
    /// # Errors
    /// When `who` is no administrator of the tenant, or the certificates are not a manufacturer's CAs:
    /// without a root, too many, of this installation, or another manufacturer's.
    pub async fn import_manufacturer(
        &self,
        who: &Operator,
        tenant: String,
        name: Name,
        pem: &str,
    ) -> Result<ManufacturerView, Error> {
        let (look_who, look_tenant) = (who.clone(), tenant.clone());
        let (found, own) = self
            .inner
            .store
            .read("import_manufacturer_look", move |tx| {
                let tenant = scope::tenant(tx, &look_who, Role::Admin, &look_tenant)?;
                Ok::<_, Error>((tenant, tx.all_cas()?))
            })
            .await?;
        let bundle = Bundle::read(pem)?;
        bundle.is_not_of(&own)?;
        let (text, digest) = bundle.text();
        loop {
            let (seen, others) = self.manufacturers_of(&found).await?;
            bundle.is_nobody_elses(&name, &others)?;
            let (who, named, now) = (who.clone(), tenant.clone(), self.now());
            let (name, text, roots) = (name.clone(), text.clone(), bundle.roots());
            let recorded = self
                .inner
                .store
                .write("import_manufacturer", move |tx| {
                    let tenant = scope::tenant(tx, &who, Role::Admin, &named)?;
                    if tx.manufacturer_digests(tenant.id)? != seen {
                        return Ok(None);
                    }
                    let before = tx.manufacturer(tenant.id, &name)?;
                    if before.is_none() && seen.len() >= MOST {
                        return Err(bundle::refused(format!(
                            "the tenant has {MOST} manufacturers already, which is all it may have"
                        )));
                    }
                    let record = ManufacturerRecord {
                        tenant: tenant.id,
                        name: name.clone(),
                        certificates: text.clone(),
                        digest,
                        created_at: before.as_ref().map_or(now, |before| before.created_at),
                    };
                    if before.as_ref() == Some(&record) {
                        return Ok(Some(record));
                    }
                    tx.put_manufacturer(&record)?;
                    let subject = subject(&tenant, &name);
                    let by = Actor::Operator(who.token);
                    let mut event = Event::new("manufacturer-imported", subject, by, now)
                        .with("certificates", lower_hex(digest.as_bytes()));
                    for root in &roots {
                        event = event.with("root", root);
                    }
                    if before.is_some() {
                        event = event.with("replaced", true);
                    }
                    tx.append(&event)?;
                    Ok(Some(record))
                })
                .await?;
            if let Some(record) = recorded {
                return Ok(bundle.view(record.name, record.created_at));
            }
        }
    }

    /// The manufacturers of a tenant, in the order of their names.
    ///
    /// # Errors
    /// When the tenant is not there.
    pub async fn manufacturers(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<Vec<ManufacturerView>, Error> {
        let who = who.clone();
        let records = self
            .inner
            .store
            .read("manufacturers", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let mut records = Vec::new();
                for (name, _) in tx.manufacturer_digests(tenant.id)? {
                    records.extend(tx.manufacturer(tenant.id, &name)?);
                }
                Ok::<_, Error>(records)
            })
            .await?;
        records.into_iter().map(view).collect()
    }

    /// One manufacturer.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn manufacturer(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<ManufacturerView, Error> {
        let who = who.clone();
        let record = self
            .inner
            .store
            .read("manufacturer", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let missing = || Error::not_found(What::Manufacturer, &name);
                let name: Name = name.parse().map_err(|_| missing())?;
                tx.manufacturer(tenant.id, &name)?.ok_or_else(missing)
            })
            .await?;
        view(record)
    }

    /// Believes a manufacturer no longer. Devices that came in by it stay in; a device of its that is
    /// deprovisioned does not come back by it.
    ///
    /// # Errors
    /// When it is not there, or `who` is no administrator of the tenant.
    pub async fn delete_manufacturer(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("delete_manufacturer", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Admin, &tenant)?;
                let missing = || Error::not_found(What::Manufacturer, &name);
                let name: Name = name.parse().map_err(|_| missing())?;
                if !tx.delete_manufacturer(tenant.id, &name)? {
                    return Err(missing());
                }
                let (subject, by) = (subject(&tenant, &name), Actor::Operator(who.token));
                tx.append(&Event::new("manufacturer-deleted", subject, by, now))?;
                Ok(())
            })
            .await
    }

    /// What is on record of a tenant's manufacturers, and read.
    async fn manufacturers_of(
        &self,
        tenant: &Tenant,
    ) -> Result<(Vec<(Name, Digest)>, Vec<std::sync::Arc<Believed>>), Error> {
        let id = tenant.id;
        let seen = self
            .inner
            .store
            .read("manufacturers_seen", move |tx| tx.manufacturer_digests(id))
            .await?;
        let read = self.read_manufacturers(id, seen.clone()).await?;
        Ok((seen, read))
    }
}

fn view(record: ManufacturerRecord) -> Result<ManufacturerView, Error> {
    let bundle = Bundle::on_record(&record)?;
    Ok(bundle.view(record.name, record.created_at))
}

fn subject(tenant: &Tenant, name: &Name) -> enlist_core::Subject {
    enlist_core::Subject {
        name: name.to_string(),
        ..tenant.subject()
    }
}
