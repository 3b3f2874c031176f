//! The transaction that lets a newcomer in.

use std::sync::Arc;

use enlist_core::{
    Actor, Application, ApprovalCode, Credential, Device, DeviceId, Event, Group, Labels, Name,
    NewDevice, SecretRefusal, Tenant, TenantId, Timestamp, lower_hex,
};
use enlist_store::Tx;

use super::Asked;
use super::anew::request_of;
use super::examine::{Admission, Finding, examine, refuse_the_buried};
use crate::issue::{Issuance, Signed, Whom};
use crate::{Error, Ops, devices};

/// What became of a request in the transaction that was to record it.
pub(super) enum Recorded {
    Issued(Box<Issuance>),
    Waiting(Box<Device>),
    /// Somebody else was first: what was signed no longer fits, and is thrown away.
    Raced,
}

/// An admitted newcomer with its certificate: all that is to be recorded, and what it was decided
/// on.
pub(super) struct Entry {
    tenant: Tenant,
    group: Group,
    admission: Box<Admission>,
    /// The device before it is enrolled: as created, or as it is about to be.
    device: NewDevice,
    signed: Signed,
}

/// Why an entry was not recorded; all of it is undone.
pub(crate) enum Missed {
    /// What it was decided on no longer holds: it has to be looked at anew.
    Raced,
    Refused(Error),
}

impl<E: Into<Error>> From<E> for Missed {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Ops {
    /// What was recorded; `None` where it missed and is to be decided and signed anew. Where that is since
    /// another CA issues by now, this server goes over to it.
    pub(crate) async fn unless_raced<T>(
        &self,
        tenant: TenantId,
        recorded: Result<T, Missed>,
    ) -> Result<Option<T>, Error> {
        match recorded {
            Ok(recorded) => Ok(Some(recorded)),
            Err(Missed::Raced) => Ok(None),
            Err(Missed::Refused(Error::CaSuperseded)) => {
                self.follow_issuing(tenant).await?;
                Ok(None)
            }
            Err(Missed::Refused(error)) => Err(error),
        }
    }

    /// Signs a certificate for an admitted newcomer.
    pub(super) async fn sign_admission(
        &self,
        tenant: Tenant,
        group: Group,
        admission: Box<Admission>,
        asked: &Asked,
    ) -> Result<Entry, Error> {
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
            None => self.newcomer(&group, asked),
        };
        let whom = Whom {
            id: device.id,
            name: &device.name,
            hardware: device.hardware.as_ref(),
        };
        let made = asked.make_key().await?;
        let made = made.map(|key| admission.verified.clone().with_server_key(key));
        let verified = made.as_ref().unwrap_or(&admission.verified);
        let signed = self
            .sign(&tenant, &group, whom, verified, asked.ttl)
            .await?;
        Ok(Entry {
            tenant,
            group,
            admission,
            device,
            signed,
        })
    }

    fn newcomer(&self, group: &Group, asked: &Asked) -> NewDevice {
        NewDevice {
            id: DeviceId::new(&*self.inner.clock, &*self.inner.rng),
            tenant: group.tenant,
            group: group.id,
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
            None => lower_hex(&asked.key.as_bytes()[..6]),
        };
        Name::nearest(&format!("device-{short}")).expect("a word of letters and digits is left")
    }

    /// Records an enrollment, every guard checked again.
    pub(super) async fn record_enrollment(
        &self,
        asked: Arc<Asked>,
        entry: Entry,
    ) -> Result<Recorded, Error> {
        let (now, tenant) = (self.now(), entry.tenant.id);
        let recorded = self
            .inner
            .store
            .write("enroll", move |tx| entry.record(tx, &asked, now))
            .await;
        Ok(match self.unless_raced(tenant, recorded).await? {
            Some(issuance) => Recorded::Issued(Box::new(issuance)),
            None => Recorded::Raced,
        })
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
                    Finding::Admit(_) | Finding::Anew(_) => return Ok(Recorded::Raced),
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
                let most = secret.bounds.max_devices;
                if !tx.count_secret_use(group.tenant, secret.id, most, now)? {
                    return Err(Error::SecretBounds(SecretRefusal::UsedUp));
                }
                tx.insert_application(&Application {
                    device: id,
                    tenant: group.tenant,
                    key: asked.key,
                    token: asked.token,
                    server_key: asked.certified.is_servers(),
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

impl Entry {
    /// The device is in: device, credential, certificate and event, or none of them. Each guard
    /// that it was decided on holds now, in this transaction: by a conditional statement, or by
    /// a look after what would have to give way was written.
    fn record(&self, tx: &mut Tx<'_>, asked: &Asked, now: Timestamp) -> Result<Issuance, Missed> {
        let (group, signed) = (&self.group, &self.signed);
        // The group's rules are in the certificate.
        if tx.group(group.tenant, group.id)?.as_ref() != Some(group) {
            return Err(Missed::Raced);
        }
        // What most often misses comes first, before anything is written.
        let (device, event) = self.admit(tx, now)?;
        self.count_use(tx, now)?;
        let credential = Credential {
            device: device.id,
            tenant: device.tenant,
            enrolled_key: asked.key,
            token: asked.token,
            previous_token: None,
            current: signed.slot(asked.certified_key()),
            previous: None,
            counter: 0,
            // Which it stands for until the key has been used.
            request: asked.made().map(|_| request_of(&asked.csr)),
            pre_enrolled: false,
        };
        let secret = self.admission.secret.id;
        if !tx.insert_credential(&credential, Some(secret))? {
            return Err(Missed::Raced);
        }
        refuse_the_buried(tx, asked, group)?;
        self.no_other_double(tx, asked, &device)?;
        let certificate = signed.put(tx, &device)?;
        tx.append(&event.with("serial", certificate.serial))?;
        if let Some(other) = self.admission.double {
            let subject = device.subject();
            let event = Event::new("hardware-claimed-twice", subject, Actor::Newcomer, now);
            tx.append(&event.with("other", other))?;
        }
        Ok(Issuance::new(&self.tenant, group, device, certificate))
    }

    /// No device claims the same hardware but the one that was seen.
    fn no_other_double(
        &self,
        tx: &mut Tx<'_>,
        asked: &Asked,
        device: &Device,
    ) -> Result<(), Missed> {
        let Some(hardware) = &asked.hardware else {
            return Ok(());
        };
        let alike = tx.devices_by_hardware(device.tenant, device.group, hardware)?;
        let mut others = alike
            .iter()
            .map(|other| other.id)
            .filter(|id| *id != device.id);
        if others.next() == self.admission.double {
            Ok(())
        } else {
            Err(Missed::Raced)
        }
    }

    /// The secret still lets it in, and is counted where it is bounded.
    fn count_use(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Missed> {
        let secret = &self.admission.secret;
        let most = secret.bounds.max_devices;
        if tx.count_secret_use(secret.tenant, secret.id, most, now)? {
            Ok(())
        } else {
            Err(Missed::Raced)
        }
    }

    /// Makes the device, or takes the one that was created before, where it still waits and
    /// holds nothing.
    fn admit(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(Device, Event), Missed> {
        let Some(before) = &self.admission.device else {
            let (device, event) = Device::create_enrolled(self.device.clone());
            return if tx.insert_device(&device)? {
                Ok((device, event))
            } else {
                Err(Missed::Raced)
            };
        };
        if tx.credential(before.tenant, before.id)?.is_some() {
            return Err(Missed::Raced);
        }
        let from = before.state().kind();
        let (mut device, event) = before.clone().enroll(Actor::Newcomer, now)?;
        device.hardware.clone_from(&self.device.hardware);
        if !tx.save_device(&device, from)? {
            return Err(Missed::Raced);
        }
        Ok((device, event))
    }
}

/// Lifetimes are asked for in whole hours.
fn in_hours(ttl: std::time::Duration) -> u32 {
    u32::try_from(ttl.as_secs() / 3600).unwrap_or(u32::MAX)
}
