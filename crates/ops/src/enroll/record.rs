//! The transaction that lets a newcomer in.

use std::sync::Arc;

use enlist_core::{
    Actor, Application, ApprovalCode, Credential, Device, DeviceId, Digest, Event, Labels, Name,
    NewDevice, Timestamp,
};
use enlist_store::Tx;

use super::Asked;
use super::examine::{Admission, Finding, Ground, examine, refuse_the_buried};
use crate::issue::{Issuance, Signed};
use crate::{Error, Ops, devices};

/// What became of a request in the transaction that was to record it.
pub(super) enum Recorded {
    Issued(Box<Issuance>),
    Waiting(Box<Device>),
    /// Somebody else was first: what was signed no longer fits, and is thrown away.
    Raced,
}

/// A certificate, and for whom it was signed.
pub(super) struct SignedAdmission {
    /// The device before it is enrolled: as created, or as it is about to be.
    device: NewDevice,
    signed: Signed,
}

impl Ops {
    /// Signs a certificate for an admitted newcomer.
    pub(super) async fn sign_admission(
        &self,
        ground: &Ground,
        admission: &Admission,
        asked: &Asked,
    ) -> Result<SignedAdmission, Error> {
        let device = match &admission.device {
            Some(device) => NewDevice {
                id: device.id,
                tenant: device.tenant,
                group: device.group,
                name: device.name.clone(),
                labels: device.labels.clone(),
                hardware: asked.hardware.clone().or_else(|| device.hardware.clone()),
                at: device.created_at,
            },
            None => self.newcomer(ground, asked),
        };
        let signed = self
            .sign(
                &ground.tenant,
                &ground.group,
                (device.id, &device.name),
                &admission.verified,
                asked.ttl,
            )
            .await?;
        Ok(SignedAdmission { device, signed })
    }

    fn newcomer(&self, ground: &Ground, asked: &Asked) -> NewDevice {
        NewDevice {
            id: DeviceId::new(&*self.inner.clock, &*self.inner.rng),
            tenant: ground.tenant.id,
            group: ground.group.id,
            name: asked.name.clone().unwrap_or_else(|| self.own_name(asked)),
            labels: Labels::new(),
            hardware: asked.hardware.clone(),
            at: self.now(),
        }
    }

    /// A name for one that brings none: after its hardware, else after its key.
    fn own_name(&self, asked: &Asked) -> Name {
        let short = match &asked.hardware {
            Some(hardware) => hardware.short(),
            None => hex(&asked.key)[..12].to_owned(),
        };
        Name::nearest(&format!("device-{short}")).expect("a word of letters and digits is left")
    }

    /// Records an enrollment, every guard checked again.
    pub(super) async fn record_enrollment(
        &self,
        asked: Arc<Asked>,
        admission: SignedAdmission,
    ) -> Result<Recorded, Error> {
        let now = self.now();
        self.inner
            .store
            .write("enroll", move |tx| {
                let ground = examine(tx, &asked, now)?;
                match ground.finding {
                    Finding::Again(issuance) => Ok(Recorded::Issued(issuance)),
                    Finding::Waiting { device } => Ok(Recorded::Waiting(device)),
                    Finding::Apply => Ok(Recorded::Raced),
                    Finding::Admit(ref found) => enter(tx, &asked, &ground, found, &admission, now),
                }
            })
            .await
    }

    /// Records an application that waits for a person.
    pub(super) async fn record_application(&self, asked: Arc<Asked>) -> Result<Recorded, Error> {
        let now = self.now();
        let id = DeviceId::new(&*self.inner.clock, &*self.inner.rng);
        let code = ApprovalCode::generate(&*self.inner.rng);
        let name = asked.name.clone().unwrap_or_else(|| self.own_name(&asked));
        self.inner
            .store
            .write("apply", move |tx| {
                let ground = examine(tx, &asked, now)?;
                match ground.finding {
                    Finding::Again(issuance) => return Ok(Recorded::Issued(issuance)),
                    Finding::Waiting { device } => return Ok(Recorded::Waiting(device)),
                    Finding::Admit(_) => return Ok(Recorded::Raced),
                    Finding::Apply => {}
                }
                let group = &ground.group;
                let new = NewDevice {
                    id,
                    tenant: group.tenant,
                    group: group.id,
                    name: name.clone(),
                    labels: Labels::new(),
                    hardware: asked.hardware.clone(),
                    at: now,
                };
                let until = now + group.approval_timeout;
                let (device, event) = Device::apply(new, code.clone(), until);
                devices::insert(tx, &device)?;
                refuse_the_buried(tx, &asked, group)?;
                let secret = tx
                    .secret_by_short_id(group.tenant, asked.secret.short_id())?
                    .ok_or(Error::SecretWrong)?;
                count_use(tx, &secret, now)?;
                tx.insert_application(&Application {
                    device: id,
                    tenant: group.tenant,
                    key: asked.key,
                    token: asked.token,
                    csr: asked.csr.der().to_vec(),
                    secret: Some(secret.id),
                    ttl: asked.ttl.map(in_hours),
                })?;
                tx.append(&event)?;
                Ok(Recorded::Waiting(Box::new(device)))
            })
            .await
    }
}

/// The device is in: device, credential, certificate and event, or none of them.
fn enter(
    tx: &mut Tx<'_>,
    asked: &Asked,
    ground: &Ground,
    found: &Admission,
    admission: &SignedAdmission,
    now: Timestamp,
) -> Result<Recorded, Error> {
    let SignedAdmission {
        device: new,
        signed,
    } = admission;
    let (device, mut event) = match &found.device {
        Some(device) if device.id != new.id => return Ok(Recorded::Raced),
        Some(before) => {
            let (mut device, event) = before.clone().enroll(Actor::Newcomer, now)?;
            device.hardware.clone_from(&new.hardware);
            devices::save(tx, &device, before.state().kind())?;
            (device, event)
        }
        None => {
            let (device, event) = Device::create_enrolled(new.clone());
            if !tx.insert_device(&device)? {
                return Ok(Recorded::Raced);
            }
            // Once more after inserting: what has just made room for it is seen now.
            refuse_the_buried(tx, asked, &ground.group)?;
            (device, event)
        }
    };
    // Group rules that changed since the certificate was signed would be in it.
    if !signed.fits(&ground.tenant, &ground.group) {
        return Err(Error::Busy { retry_after_s: 1 });
    }
    count_use(tx, &found.secret, now)?;
    let credential = Credential {
        device: device.id,
        tenant: device.tenant,
        enrolled_key: asked.key,
        token: asked.token,
        current: signed.slot(asked.key),
        previous: None,
        counter: 0,
        request: None,
        pre_enrolled: false,
    };
    if !tx.insert_credential(&credential, Some(found.secret.id))? {
        return Err(Error::Busy { retry_after_s: 1 });
    }
    let certificate = signed.record(&device);
    tx.insert_certificate(&certificate)?;
    event = event.with("serial", certificate.serial);
    tx.append(&event)?;
    if let Some(other) = found.double {
        let event = Event::new(
            "hardware-claimed-twice",
            device.subject(),
            Actor::Newcomer,
            now,
        )
        .with("other", other);
        tx.append(&event)?;
    }
    Ok(Recorded::Issued(Box::new(Issuance {
        tenant: ground.tenant.name.clone(),
        group: ground.group.name.clone(),
        device,
        certificate,
    })))
}

/// Lifetimes are asked for in whole hours.
fn in_hours(ttl: std::time::Duration) -> u32 {
    u32::try_from(ttl.as_secs() / 3600).unwrap_or(u32::MAX)
}

fn count_use(
    tx: &mut Tx<'_>,
    secret: &enlist_core::SecretRecord,
    now: Timestamp,
) -> Result<(), Error> {
    if secret.bounds.max_devices.is_none() {
        // Read in this very transaction, and found good.
        return Ok(());
    }
    if tx.count_secret_use(secret.tenant, secret.id, secret.bounds.max_devices, now)? {
        return Ok(());
    }
    Err(Error::SecretBounds(enlist_core::SecretRefusal::UsedUp))
}

fn hex(digest: &Digest) -> String {
    digest
        .as_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
