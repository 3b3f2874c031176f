//! The transaction that lets a newcomer in.

use std::sync::Arc;

use enlist_attest::Attested;
use enlist_core::{
    Actor, Application, ApprovalCode, Credential, Device, Event, SecretRecord, Tenant, TenantId,
    Timestamp,
};
use enlist_store::{StoreError, Tx};

use super::anew::request_of;
use super::examine::{Admission, Finding, examine, refuse_the_buried};
use super::place::Place;
use super::{Asked, bounds};
use crate::issue::{Issuance, Signed, Whom};
use crate::{Error, Ops, devices, zero_touch};

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
    place: Place,
    admission: Box<Admission>,
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
    /// What was recorded; `None` where it missed and is to be decided and signed anew: others have changed
    /// what it was decided on, or have put on record what the store takes once. Where another CA issues
    /// by now, this server goes over to it.
    pub(crate) async fn unless_raced<T>(
        &self,
        tenant: TenantId,
        recorded: Result<T, Missed>,
    ) -> Result<Option<T>, Error> {
        match recorded {
            Ok(recorded) => Ok(Some(recorded)),
            Err(Missed::Raced | Missed::Refused(Error::Store(StoreError::Conflict(_)))) => Ok(None),
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
        place: Place,
        admission: Box<Admission>,
        asked: &Asked,
    ) -> Result<Entry, Error> {
        let made = asked.make_key().await?;
        let made = made.map(|key| admission.verified.clone().with_server_key(key));
        let verified = made.as_ref().unwrap_or(&admission.verified);
        let signed = self
            .sign(
                &tenant,
                &place.group,
                Whom::from(&place.device),
                verified,
                asked.ttl,
            )
            .await?;
        Ok(Entry {
            tenant,
            place,
            admission,
            signed,
        })
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
    pub(super) async fn record_application(
        &self,
        asked: Arc<Asked>,
        place: Place,
    ) -> Result<Recorded, Error> {
        let now = self.now();
        let code = ApprovalCode::generate(&*self.inner.rng);
        self.inner
            .store
            .write("apply", move |tx| {
                let ground = examine(tx, &asked, now)?;
                let displacing = match ground.finding {
                    Finding::Again(issuance) => return Ok(Recorded::Issued(issuance)),
                    Finding::Waiting { device } => return Ok(Recorded::Waiting(device)),
                    Finding::Admit(_) | Finding::Anew(_) => return Ok(Recorded::Raced),
                    Finding::Apply(displacing) => displacing,
                };
                let group = &ground.group;
                if *group != place.entry || !place.stands(tx)? {
                    return Ok(Recorded::Raced);
                }
                if place.group.id != group.id && !asked.is_proven() {
                    zero_touch::room_to_wait(tx, &place.group)?;
                }
                if !displacing.turn_away(tx, group.tenant, now)?
                    || !place.displacing.turn_away(tx, group.tenant, now)?
                {
                    return Ok(Recorded::Raced);
                }
                let until = now + group.approval_timeout;
                let (device, event) = Device::apply(place.device.clone(), code.clone(), until);
                devices::insert(tx, &device)?;
                refuse_the_buried(tx, &asked, group)?;
                if let Some(hardware) = asked.claimed() {
                    tx.claim_hardware(device.tenant, hardware)?;
                }
                if !place.record(tx, &asked, &device)? {
                    return Err(Error::Busy { retry_after_s: 1 });
                }
                let secret = bounds::count_application(tx, &asked, group, now)?;
                let by = secret.as_ref();
                if displacing.may && !bounds::take_entry(tx, &asked, group, by, device.id)? {
                    // Somebody was faster: what stands in the way now.
                    bounds::look(tx, &asked, group, by, Some(device.id))?;
                    return Err(Error::Busy { retry_after_s: 1 });
                }
                use_challenge(tx, &asked)?;
                tx.insert_application(&Application {
                    device: device.id,
                    tenant: group.tenant,
                    key: asked.key,
                    token: asked.token,
                    server_key: asked.certified.is_servers(),
                    csr: asked.csr.der().to_vec(),
                    secret: secret.as_ref().map(|secret| secret.id),
                    ttl: asked.ttl.map(in_hours),
                    source: Some(asked.source),
                    unproven: (!asked.is_proven()).then_some(device.group),
                })?;
                let event = let_in_by(event, secret.as_ref()).with("from", asked.source);
                let event = match (&asked.attested, &asked.claim) {
                    (Some(attested), _) => event.with("attested", attested.identity()),
                    (None, Some(claim)) => event.with("unproved", claim),
                    (None, None) => event,
                };
                tx.append(&place.tell(event))?;
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
        let (group, signed) = (&self.place.entry, &self.signed);
        // The group's rules are in the certificate.
        if !self.place.stands(tx)? {
            return Err(Missed::Raced);
        }
        let displacing = &self.place.displacing;
        if !displacing.turn_away(tx, self.tenant.id, now)? {
            return Err(Missed::Raced);
        }
        // What most often misses comes first, before anything is written.
        let (device, event) = self.admit(tx, now)?;
        let by = self.admission.secret.as_ref();
        if let Some(secret) = by
            && !bounds::count_use(tx, secret, now)?
        {
            return Err(Missed::Raced);
        }
        if !bounds::take_entry(tx, asked, group, by, device.id)? {
            return Err(Missed::Raced);
        }
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
        let secret = self.admission.secret.as_ref().map(|secret| secret.id);
        if !tx.insert_credential(&credential, secret)? {
            return Err(Missed::Raced);
        }
        use_challenge(tx, asked)?;
        refuse_the_buried(tx, asked, group)?;
        self.no_other_double(tx, asked, &device)?;
        if !self.place.record(tx, asked, &device)? {
            return Err(Missed::Raced);
        }
        let certificate = signed.put(tx, &device)?;
        let event = event.with("serial", certificate.serial);
        let mut event = let_in_by(event, self.admission.secret.as_ref()).with("from", asked.source);
        if let Some(claimed) = &asked.hardware {
            event = event.with("hardware", claimed);
        }
        if let Some(attested) = &asked.attested {
            event = event.with("attested", attested.identity());
        }
        tx.append(&self.place.tell(event))?;
        if let Some(other) = self.place.double {
            let subject = device.subject();
            let event = Event::new("hardware-claimed-twice", subject, Actor::Newcomer, now);
            tx.append(&event.with("other", other))?;
        }
        Ok(Issuance::new(
            &self.tenant,
            &self.place.group,
            device,
            certificate,
        ))
    }

    /// No device claims the same hardware but the one that was seen.
    fn no_other_double(
        &self,
        tx: &mut Tx<'_>,
        asked: &Asked,
        device: &Device,
    ) -> Result<(), Missed> {
        let Some(hardware) = asked.claimed() else {
            return Ok(());
        };
        tx.claim_hardware(device.tenant, hardware)?;
        if tx.is_other_by_hardware(device, hardware, self.place.double)? {
            Ok(())
        } else {
            Err(Missed::Raced)
        }
    }

    /// Makes the device, or takes the one that was created before, where it still waits and
    /// holds nothing.
    fn admit(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(Device, Event), Missed> {
        let Some(before) = &self.admission.device else {
            let (device, event) = Device::create_enrolled(self.place.device.clone());
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
        let (to_be, mut device) = (&self.place.device, before.clone());
        device.group = to_be.group;
        device.name.clone_from(&to_be.name);
        device.labels.clone_from(&to_be.labels);
        device.hardware.clone_from(&to_be.hardware);
        device.attested.clone_from(&to_be.attested);
        let moves = (before.group, &before.name) != (device.group, &device.name);
        let (device, event) = device.enroll(Actor::Newcomer, now)?;
        let saved = tx.save_device(&device, from)?;
        if !saved
            || moves && !tx.move_device(device.tenant, device.id, device.group, &device.name)?
        {
            return Err(Missed::Raced);
        }
        Ok((device, event))
    }
}

/// Says by which secret somebody was let in, or waits, if by any.
pub(crate) fn let_in_by(event: Event, secret: Option<&SecretRecord>) -> Event {
    match secret {
        None => event,
        Some(secret) => event
            .with("secret", secret.id)
            .with("secret_label", &secret.label),
    }
}

/// A challenge lets one device in, or wait, once.
fn use_challenge(tx: &mut Tx<'_>, asked: &Asked) -> Result<(), Error> {
    let Some(once) = asked.attested.as_ref().and_then(Attested::once) else {
        return Ok(());
    };
    if tx.use_challenge(&once.digest, once.expires_at)? {
        Ok(())
    } else {
        Err(Error::ChallengeUsed)
    }
}

/// Lifetimes are asked for in whole hours.
fn in_hours(ttl: std::time::Duration) -> u32 {
    u32::try_from(ttl.as_secs() / 3600).unwrap_or(u32::MAX)
}
