//! An identity made ahead, to be loaded at the factory.

use std::time::Duration;

use enlist_attest::pre_enrolled;
use enlist_core::{
    Actor, Credential, Device, DeviceId, DeviceToken, Digest, Event, Group, Labels, Name,
    NewDevice, Operator, Role, StateKind, Tenant, Timestamp, Transition,
};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_store::Tx;

use crate::issue::{Issuance, Signed, Whom};
use crate::{DevicePath, Enrolled, Error, Ops, devices, scope, standing};

/// A pre-enrolled identity. The server has forgotten key and token once this is handed over.
#[derive(Debug)]
pub struct PreEnrolled {
    /// The device's own token.
    pub token: DeviceToken,
    /// The device's key, for the factory to load.
    pub key: FileKey,
    /// Its certificate and chain.
    pub enrolled: Enrolled,
}

impl Ops {
    /// Makes an identity for a device ahead: id, token, certificate and key. Where the device is
    /// not there yet it is created; an identity made for it before is revoked.
    ///
    /// # Errors
    /// When the device is in service already, or was deleted.
    pub async fn pre_enroll(
        &self,
        who: &Operator,
        path: DevicePath,
        ttl: Option<Duration>,
    ) -> Result<PreEnrolled, Error> {
        match self.pre_enroll_once(who, path.clone(), ttl).await {
            Err(Error::CaSuperseded) => self.pre_enroll_once(who, path, ttl).await,
            outcome => outcome,
        }
    }

    async fn pre_enroll_once(
        &self,
        who: &Operator,
        path: DevicePath,
        ttl: Option<Duration>,
    ) -> Result<PreEnrolled, Error> {
        let name: Name = path.device.parse()?;
        let key = FileKey::generate(KeyKind::P256).map_err(Error::signing)?;
        let token = DeviceToken::generate(&*self.inner.rng);
        let (look_who, look_path, look_name) = (who.clone(), path.clone(), name.clone());
        let (tenant, group, waiting) = self
            .inner
            .store
            .read("pre_enroll_look", move |tx| {
                let (tenant, group) = scope::group(tx, &look_who, Role::Factory, &look_path.group)?;
                let waiting = waiting(tx, &group, &look_name)?;
                Ok::<_, Error>((tenant, group, waiting))
            })
            .await?;
        let verified = pre_enrolled(key.public_key().clone(), who);
        let whom = match &waiting {
            Some(device) => Whom::from(device),
            None => Whom {
                id: DeviceId::new(&*self.inner.clock, &*self.inner.rng),
                name: &name,
                hardware: None,
            },
        };
        let id = whom.id;
        let signed = self.sign(&tenant, &group, whom, &verified, ttl).await?;
        let (who, now, of) = (who.clone(), self.now(), tenant.id);
        let record = Record {
            id,
            name,
            key: Digest::from_bytes(key.public_key().digest()),
            token: token.digest(),
            signed,
        };
        let issuance = self
            .inner
            .store
            .write("pre_enroll", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Factory, &path.group)?;
                record.write(tx, &tenant, &group, &Actor::Operator(who.token), now)
            })
            .await;
        self.is_superseded_ca(of, &issuance).await?;
        let issuance = issuance?;
        Ok(PreEnrolled {
            token,
            key,
            enrolled: self.present(issuance).await?,
        })
    }
}

/// The device of that name, where it is there and waits to be enrolled.
fn waiting(tx: &mut Tx<'_>, group: &Group, name: &Name) -> Result<Option<Device>, Error> {
    devices::refuse_tombstoned(tx, group, name)?;
    let device = tx.device_by_name(group.tenant, group.id, name)?;
    match &device {
        Some(device) if device.state().kind() != StateKind::Created => {
            Err(Error::InvalidTransition(enlist_core::InvalidTransition {
                device: name.clone(),
                from: device.state().kind(),
                attempted: Transition::Enroll,
            }))
        }
        _ => Ok(device),
    }
}

struct Record {
    id: DeviceId,
    name: Name,
    key: Digest,
    token: Digest,
    signed: Signed,
}

impl Record {
    fn write(
        &self,
        tx: &mut Tx<'_>,
        tenant: &Tenant,
        group: &Group,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Issuance, Error> {
        let device = match waiting(tx, group, &self.name)? {
            Some(device) => device,
            None => self.create(tx, group, by, now)?,
        };
        if device.id != self.id || !self.signed.fits(tenant, group, &device) {
            return Err(Error::Busy { retry_after_s: 1 });
        }
        standing::revoke(tx, &device, now)?;
        let credential = Credential {
            device: device.id,
            tenant: tenant.id,
            enrolled_key: self.key,
            token: Some(self.token),
            previous_token: None,
            current: self.signed.slot(self.key),
            previous: None,
            counter: 0,
            request: None,
            pre_enrolled: true,
        };
        if !tx.insert_credential(&credential, None)? {
            return Err(Error::Inconsistent("a key was made twice"));
        }
        let certificate = self.signed.put(tx, &device)?;
        let event = Event::new("device-pre-enrolled", device.subject(), by.clone(), now)
            .with("serial", certificate.serial);
        tx.append(&event)?;
        Ok(Issuance::new(tenant, group, device, certificate))
    }

    fn create(
        &self,
        tx: &mut Tx<'_>,
        group: &Group,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Device, Error> {
        let new = NewDevice {
            id: self.id,
            tenant: group.tenant,
            group: group.id,
            name: self.name.clone(),
            labels: Labels::new(),
            hardware: None,
            attested: None,
            at: now,
        };
        let (device, event) = Device::create(new, by.clone());
        devices::insert(tx, &device)?;
        devices::refuse_tombstoned(tx, group, &self.name)?;
        tx.append(&event)?;
        Ok(device)
    }
}
