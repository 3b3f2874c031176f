//! The transaction that records a renewal.

use std::sync::Arc;

use enlist_core::{Actor, Event, OnClone, StateKind, Timestamp};
use enlist_store::Tx;

use super::examine::{Finding, Ground, examine};
use super::{Asked, Next, Proven};
use crate::enroll::Missed;
use crate::issue::{Issuance, Signed};
use crate::{Error, Ops, devices, standing};

/// What became of a renewal in the transaction that was to record it.
pub(super) enum Recorded {
    Issued(Box<Issuance>),
    Suspected,
    /// Something changed since the certificate was signed, which is thrown away.
    Raced,
}

impl Ops {
    /// Records a renewal, every guard checked again.
    pub(super) async fn record_renewal(
        &self,
        asked: Arc<Asked>,
        signed: Signed,
    ) -> Result<Recorded, Error> {
        let now = self.now();
        self.inner
            .store
            .write("renew", move |tx| {
                let ground = examine(tx, &asked, now)?;
                match &ground.finding {
                    Finding::Again(issuance) => Ok(Recorded::Issued(issuance.clone())),
                    Finding::CloneSuspected => Ok(Recorded::Raced),
                    Finding::Fresh(_)
                        if !signed.fits(&ground.tenant, &ground.group, &ground.device) =>
                    {
                        Ok(Recorded::Raced)
                    }
                    Finding::Fresh(verified) => {
                        use enlist_attest::Proof;
                        let by = match verified.proof() {
                            Proof::Certificate(serial) | Proof::Token(serial) => serial,
                            _ => return Err(Error::NoEvidence),
                        };
                        renew(tx, &asked, &ground, by, &signed, now)
                    }
                }
            })
            .await
    }

    /// Records that two parties seem to hold one device's credentials, and does what the group
    /// says about it.
    pub(super) async fn record_suspicion(&self, asked: Arc<Asked>) -> Result<Recorded, Error> {
        let now = self.now();
        self.inner
            .store
            .write("suspect_clone", move |tx| {
                let ground = examine(tx, &asked, now)?;
                let Finding::CloneSuspected = ground.finding else {
                    return Ok(Recorded::Raced);
                };
                let device = ground.device;
                let event = Event::new("clone-suspected", device.subject(), Actor::Server, now)
                    .with("counter", asked.counter)
                    .with("expected", ground.credential.counter)
                    .with("request", asked.request.id);
                tx.append(&event)?;
                if ground.group.on_clone == OnClone::Suspend
                    && device.state().kind() == StateKind::Active
                {
                    let (device, event) = device.suspend(Actor::Server, now)?;
                    devices::save(tx, &device, StateKind::Active)?;
                    standing::hold(tx, &device, now)?;
                    tx.append(&event.with("why", "clone-suspected"))?;
                }
                Ok(Recorded::Suspected)
            })
            .await
    }
}

fn renew(
    tx: &mut Tx<'_>,
    asked: &Asked,
    ground: &Ground,
    by: enlist_core::Serial,
    signed: &Signed,
    now: Timestamp,
) -> Result<Recorded, Error> {
    let next = Next {
        tenant: &ground.tenant,
        group: &ground.group,
        device: &ground.device,
        credential: &ground.credential,
        by: Some(by),
        signed,
        counter: asked.counter,
        request: asked.request,
    };
    let issuance = match next.record(tx, Actor::Device(ground.device.id), now) {
        Ok(issuance) => issuance,
        Err(Missed::Raced) => return Ok(Recorded::Raced),
        Err(Missed::Refused(error)) => return Err(error),
    };
    let before = &ground.credential;
    if let Proven::Token(proof) = &asked.evidence
        && let Some(token) = before.token
        && proof.token.digest() == token
    {
        // The new token has worked: the one before may go.
        tx.retire_previous_token(before.tenant, before.device, &token)?;
    }
    Ok(Recorded::Issued(Box::new(issuance)))
}
