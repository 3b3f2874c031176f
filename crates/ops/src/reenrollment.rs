//! A device re-enrolls as EST has it: with its certificate, and without a counter.

use std::sync::Arc;

use enlist_attest::{ByCertificate, Verified};
use enlist_core::{Actor, Device, RenewalRequest, Timestamp, TombstoneOf};
use enlist_pki::{Certificate, Csr};
use enlist_store::Tx;

use crate::buried::{Tell, refuse_buried};
use crate::enroll::{Missed, request_by};
use crate::issue::{Issuance, Signed, Whom};
use crate::presented::{Errand, Presented, Refused, client_certificate, presented};
use crate::renew::{Next, certificate_of};
use crate::{Enrolled, Error, Ops, Source};

/// What a device sends to re-enroll.
#[derive(Debug)]
pub struct Reenrollment {
    /// The client certificate of the TLS connection, DER.
    pub certificate: Option<Vec<u8>>,
    /// PKCS#10 over the key to certify, DER.
    pub csr: Vec<u8>,
    /// Tenant and group that the device says it is of, where it says so.
    pub place: Option<(String, String)>,
    /// Where it calls from.
    pub source: Source,
}

/// A re-enrollment whose parts were read.
struct Asked {
    certificate: Certificate,
    csr: Csr,
    request: RenewalRequest,
    place: Option<(String, String)>,
}

struct Ground {
    held: Presented,
    finding: Finding,
}

enum Finding {
    /// The same request as before: the recorded answer is due.
    Again(Box<Issuance>),
    /// It may have a new certificate.
    Fresh(Box<Verified>),
}

/// How often a lost race is run again before the caller is asked to.
const ATTEMPTS: usize = 4;

impl Ops {
    /// Issues a device its next certificate, over the key that it has or another one: always, and
    /// once for each certificate shown and CSR, the last of which is remembered. The names in the
    /// CSR may be left out; those that are given must stand in the certificate shown.
    ///
    /// # Errors
    /// Each reason for a refusal has a variant of its own; nothing is written then.
    pub async fn reenroll(&self, asked: Reenrollment) -> Result<Enrolled, Error> {
        let source = asked.source;
        let asked = Arc::new(read(asked)?);
        for _ in 0..ATTEMPTS {
            let (look, now) = (asked.clone(), self.now());
            let ground = self
                .inner
                .store
                .read("reenroll_look", move |tx| examine(tx, &look, now))
                .await;
            if let Err(refused) = &ground
                && self.adopts(refused.error(), &asked.certificate).await?
            {
                continue;
            }
            let Ground { held, finding } = self.heard(ground, source)?;
            let issuance = match finding {
                Finding::Again(issuance) => *issuance,
                Finding::Fresh(verified) => {
                    let whom = Whom::from(&held.device);
                    let signed = self
                        .sign(&held.tenant, &held.group, whom, &verified, None)
                        .await?;
                    let recorded = self.record_reenrollment(asked.clone(), signed).await;
                    let recorded = self.unless_raced(held.tenant.id, recorded).await?;
                    let Some(issuance) = recorded else { continue };
                    issuance
                }
            };
            return self.present(issuance).await;
        }
        Err(Error::Busy { retry_after_s: 1 })
    }

    /// Records it, every guard checked again.
    async fn record_reenrollment(
        &self,
        asked: Arc<Asked>,
        signed: Signed,
    ) -> Result<Issuance, Missed> {
        let now = self.now();
        self.inner
            .store
            .write("reenroll", move |tx| {
                let Ground { held, finding } =
                    examine(tx, &asked, now).map_err(Refused::into_error)?;
                match finding {
                    Finding::Again(issuance) => return Ok(*issuance),
                    Finding::Fresh(_) if !signed.fits(&held.tenant, &held.group, &held.device) => {
                        return Err(Missed::Raced);
                    }
                    Finding::Fresh(_) => {}
                }
                let next = Next {
                    tenant: &held.tenant,
                    group: &held.group,
                    device: &held.device,
                    credential: &held.credential,
                    by: Some(held.certificate.serial),
                    signed: &signed,
                    counter: held.credential.counter,
                    request: asked.request,
                };
                next.record(tx, Actor::Device(held.device.id), now)
            })
            .await
    }
}

fn read(asked: Reenrollment) -> Result<Asked, Error> {
    let certificate = client_certificate(asked.certificate)?;
    let csr = Csr::from_der(&asked.csr)?;
    Ok(Asked {
        request: request_by(certificate.serial(), &csr),
        certificate,
        csr,
        place: asked.place,
    })
}

fn examine(tx: &mut Tx<'_>, asked: &Asked, now: Timestamp) -> Result<Ground, Refused> {
    let held = presented(tx, &asked.certificate, Errand::Changing, now)?;
    match decide(tx, asked, &held, now) {
        Ok(finding) => Ok(Ground { held, finding }),
        Err(error) => Err(held.refuse(error)),
    }
}

fn decide(
    tx: &mut Tx<'_>,
    asked: &Asked,
    held: &Presented,
    now: Timestamp,
) -> Result<Finding, Error> {
    let (tenant, group, credential) = (&held.tenant, &held.group, &held.credential);
    if let Some((of, into)) = &asked.place
        && (of.as_str(), into.as_str()) != (tenant.name.as_str(), group.name.as_str())
        && (of.as_str() != tenant.name.as_str() || !came_by(tx, &held.device, into)?)
    {
        return Err(Error::AnotherGroup);
    }
    if credential.token.is_some() {
        // Here is no counter that would tell a clone.
        return Err(Error::RenewsByToken);
    }
    let evidence = ByCertificate {
        presented: &held.certificate,
    };
    let verified = evidence.verify_reenrollment(&asked.csr, credential, now)?;
    if credential.request == Some(asked.request) {
        let certificate = certificate_of(tx, &credential.current)?;
        let issuance = Issuance::new(tenant, group, held.device.clone(), certificate);
        return Ok(Finding::Again(Box::new(issuance)));
    }
    let key = TombstoneOf::Key(asked.request.key);
    refuse_buried(tx, tenant.id, &[&key], Tell::Proven)?;
    // The key may stay: other people's clients often can't make a new one.
    Ok(Finding::Fresh(Box::new(verified)))
}

/// Whether a device asked at the group of this name when it came, and was passed on to its own.
fn came_by(tx: &mut Tx<'_>, device: &Device, group: &str) -> Result<bool, Error> {
    let Some(landing) = tx.landing(device.tenant, device.id)? else {
        return Ok(false);
    };
    let entry = tx.group(device.tenant, landing.entry)?;
    Ok(entry.is_some_and(|entry| entry.name.as_str() == group))
}
