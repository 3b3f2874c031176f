//! A certificate in place of one that a device has, for one that can only enroll once more.

use std::sync::Arc;

use enlist_core::{
    Actor, Digest, Event, Group, RenewalRequest, RequestId, Tenant, TenantId, Timestamp,
};
use enlist_pki::Csr;
use enlist_store::Tx;

use super::Asked;
use super::again::Anew;
use super::examine::{Finding, Ground, examine};
use super::record::{Missed, Recorded};
use crate::issue::{Issuance, Signed, Whom};
use crate::renew::Next;
use crate::{Error, Ops, standing};

impl Ops {
    pub(super) async fn sign_anew(
        &self,
        tenant: &Tenant,
        group: &Group,
        anew: &Anew,
        asked: &Asked,
    ) -> Result<Signed, Error> {
        let made = asked.make_key().await?;
        let made = made.map(|key| anew.verified.clone().with_server_key(key));
        let verified = made.as_ref().unwrap_or(&anew.verified);
        let whom = Whom::from(&anew.device);
        self.sign(tenant, group, whom, verified, asked.ttl).await
    }

    /// Records it, every guard checked again.
    pub(super) async fn record_anew(
        &self,
        tenant: TenantId,
        asked: Arc<Asked>,
        signed: Signed,
    ) -> Result<Recorded, Error> {
        let now = self.now();
        let recorded = self
            .inner
            .store
            .write("enroll_anew", move |tx| record(tx, &asked, &signed, now))
            .await;
        Ok(match self.unless_raced(tenant, recorded).await? {
            Some(issuance) => Recorded::Issued(Box::new(issuance)),
            None => Recorded::Raced,
        })
    }
}

fn record(
    tx: &mut Tx<'_>,
    asked: &Asked,
    signed: &Signed,
    now: Timestamp,
) -> Result<Issuance, Missed> {
    let ground = examine(tx, asked, now)?;
    let Finding::Anew(anew) = &ground.finding else {
        return Err(Missed::Raced);
    };
    if !signed.fits(&ground.tenant, &ground.group, &anew.device) {
        return Err(Missed::Raced);
    }
    if asked.certified.is_servers() {
        return rekey(tx, asked, &ground, anew, signed, now);
    }
    let next = Next {
        tenant: &ground.tenant,
        group: &ground.group,
        device: &anew.device,
        credential: &anew.credential,
        by: None,
        signed,
        counter: anew.credential.counter,
        request: request_of(&asked.csr),
    };
    next.record(tx, Actor::Newcomer, now)
}

/// The answer before seems to be lost: its certificate is revoked, and another key takes its place.
fn rekey(
    tx: &mut Tx<'_>,
    asked: &Asked,
    ground: &Ground,
    anew: &Anew,
    signed: &Signed,
    now: Timestamp,
) -> Result<Issuance, Missed> {
    let before = &anew.credential;
    let (credential, unused) = before.clone().rekeyed(signed.slot(asked.certified_key()));
    if !tx.save_credential(&credential, before.counter, before.current.serial)? {
        return Err(Missed::Raced);
    }
    standing::supersede(tx, &credential, &unused, now)?;
    let certificate = signed.put(tx, &anew.device)?;
    let subject = anew.device.subject();
    let event = Event::new("server-key-replaced", subject, Actor::Newcomer, now)
        .with("serial", certificate.serial);
    tx.append(&event)?;
    let device = anew.device.clone();
    Ok(Issuance::new(
        &ground.tenant,
        &ground.group,
        device,
        certificate,
    ))
}

/// A CSR as a request that has no counter and no id of its own.
pub(crate) fn request_of(csr: &Csr) -> RenewalRequest {
    request_by(&[], csr)
}

/// The same of one that was made with this certificate.
pub(crate) fn request_by(serial: &[u8], csr: &Csr) -> RenewalRequest {
    let digest = Digest::of(&[serial, csr.der()].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_bytes()[..16]);
    RenewalRequest {
        id: RequestId::from_bytes(id),
        key: Digest::from_bytes(csr.public_key().digest()),
    }
}
