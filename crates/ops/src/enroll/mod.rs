//! A newcomer enrolls.

mod again;
mod anew;
mod bounds;
mod displacing;
mod examine;
mod filled;
mod hook;
mod known;
mod landed;
mod made_up;
mod no_landing;
mod own_name;
mod place;
mod record;
mod server_key;

use std::sync::Arc;
use std::time::Duration;

use enlist_attest::Attested;
use enlist_core::{
    ApprovalCode, DeviceId, DeviceToken, Digest, HardwareIdentity, Name, NotAnIdentity,
    ProvisioningSecret, ZeroTouch,
};
use enlist_pki::Csr;

use crate::buried::Tell;
use crate::refusals::Attempt;
use crate::zero_touch::Shown;
use crate::{Enrolled, Error, HardwareEvidence, Ops, Source};
pub(crate) use anew::{request_by, request_of};
use examine::{Finding, Ground, examine};
pub(crate) use filled::Filled;
pub(crate) use known::KnownGrounds;
pub(crate) use made_up::MadeUp;
pub use no_landing::NoLanding;
use place::{Arriving, Place};
use record::Recorded;
pub(crate) use record::{Missed, let_in_by};
pub use server_key::KeyGenerated;
use server_key::KeyOf;

/// What a newcomer sends.
#[derive(Debug)]
pub struct Enrollment {
    /// The tenant to enroll into.
    pub tenant: String,
    /// The group to enroll into.
    pub group: String,
    /// The group's provisioning secret.
    pub secret: Option<ProvisioningSecret>,
    /// What proves what it is.
    pub evidence: Option<HardwareEvidence>,
    /// The name it was given, or gave itself.
    pub name: Option<Name>,
    /// The hardware it claims to be.
    pub hardware: Option<HardwareIdentity>,
    /// PKCS#10 over its key, DER.
    pub csr: Vec<u8>,
    /// The token it made for itself; who comes in by EST has none.
    pub token: Option<DeviceToken>,
    /// The certificate lifetime it asks for.
    pub ttl: Option<Duration>,
    /// Where it calls from.
    pub source: Source,
}

/// The two ways an enrollment can go well.
#[derive(Debug)]
pub enum EnrollmentOutcome {
    /// It is in.
    Enrolled(Box<Enrolled>),
    /// It waits for a person.
    Pending {
        /// Its id.
        device: DeviceId,
        /// Its name.
        name: Name,
        /// By which the person knows it.
        code: ApprovalCode,
        /// Seconds to wait before asking again.
        retry_after_s: u64,
    },
}

/// An enrollment whose parts were read.
struct Asked {
    tenant: String,
    group: String,
    secret: Option<ProvisioningSecret>,
    /// What it has proved to be.
    attested: Option<Attested>,
    /// What the group took in place of a secret when that was weighed.
    policy: Option<ZeroTouch>,
    /// What it says it is, of which it has proved nothing.
    claim: Option<String>,
    name: Option<Name>,
    hardware: Option<HardwareIdentity>,
    csr: Csr,
    /// Of the CSR: what the same request is known by.
    key: Digest,
    /// The key to certify.
    certified: KeyOf,
    token: Option<Digest>,
    ttl: Option<Duration>,
    source: Source,
}

impl Asked {
    fn attested(&self) -> Option<HardwareIdentity> {
        let attested = self.attested.as_ref();
        attested.map(|attested| attested.identity().clone())
    }

    /// The hardware that it claims to be, where it has proved nothing.
    fn claimed(&self) -> Option<&HardwareIdentity> {
        self.hardware.as_ref().filter(|_| self.attested.is_none())
    }

    /// Whether it brings a secret or a proof; whether that counts is another question.
    fn is_proven(&self) -> bool {
        self.secret.is_some() || self.attested.is_some()
    }

    /// Strangers are told nothing of other devices.
    fn tell(&self) -> Tell {
        match self.is_proven() {
            true => Tell::Proven,
            false => Tell::Nobody,
        }
    }
}

/// Seconds between two questions of a device that waits for a person.
const PENDING_RETRY_S: u64 = 15;

/// How often a lost race is run again before the caller is asked to.
const ATTEMPTS: usize = 4;

impl Ops {
    /// Enrolls a device: exactly once, however often it asks.
    ///
    /// # Errors
    /// Each reason for a refusal has a variant of its own; nothing is written then.
    pub async fn enroll(&self, enrollment: Enrollment) -> Result<EnrollmentOutcome, Error> {
        let (tenant, source) = (enrollment.tenant.clone(), enrollment.source);
        let attempt = Attempt::of(&enrollment);
        let outcome = self.admit(enrollment, KeyOf::Csr).await.0;
        if let Err(error) = &outcome {
            let refusals = &self.inner.refusals;
            refusals.count_newcomer(&tenant, attempt, error, source);
        }
        outcome
    }

    /// Returns what was asked for, too, where it could be read.
    async fn admit(
        &self,
        enrollment: Enrollment,
        certified: KeyOf,
    ) -> (Result<EnrollmentOutcome, Error>, Option<Arc<Asked>>) {
        let source = enrollment.source;
        let asked = match self.read(enrollment, certified).await {
            Ok(asked) => Arc::new(asked),
            Err(error) => return (Err(error), None),
        };
        let outcome = self.settle(&asked).await;
        let guard = &self.inner.guard;
        match (&outcome, &asked.secret) {
            (Err(Error::SecretWrong), Some(secret)) => {
                guard.wrong(source, secret.short_id(), self.now());
            }
            (Ok(_), Some(secret)) => guard.right(secret.short_id()),
            _ => {}
        }
        (outcome, Some(asked))
    }

    /// Reads what was sent; the cheap checks come before the dear ones.
    async fn read(&self, enrollment: Enrollment, certified: KeyOf) -> Result<Asked, Error> {
        if let Some(secret) = &enrollment.secret {
            let guard = &self.inner.guard;
            guard.check(enrollment.source, secret.short_id(), self.now())?;
        }
        if let Some(claim) = &enrollment.hardware
            && claim.kind().is_proved()
        {
            return Err(NotAnIdentity::Claimed.into());
        }
        let csr = Csr::from_der(&enrollment.csr)?;
        certified.refuse_encryption(&csr)?;
        let shown = match &enrollment.evidence {
            Some(evidence) => self.attest(&enrollment, evidence, &csr).await?,
            None => Shown::default(),
        };
        if enrollment.secret.is_none() && shown.attested.is_none() {
            let (guard, now) = (&self.inner.unproven_guard, self.now());
            guard.check_source(enrollment.source, now)?;
            guard.count(enrollment.source, now);
        }
        Ok(Asked {
            tenant: enrollment.tenant,
            group: enrollment.group,
            secret: enrollment.secret,
            attested: shown.attested,
            policy: shown.policy,
            claim: shown.claim,
            name: enrollment.name,
            hardware: enrollment.hardware,
            key: Digest::from_bytes(csr.public_key().digest()),
            csr,
            certified,
            token: enrollment.token.map(|token| token.digest()),
            ttl: enrollment.ttl,
            source: enrollment.source,
        })
    }

    async fn settle(&self, asked: &Arc<Asked>) -> Result<EnrollmentOutcome, Error> {
        let known = &self.inner.known_grounds;
        if let Some((tenant, group, admission)) = known.guess(asked, self.now()) {
            let place = self.find_place(asked, Arriving::new(&tenant, group, &admission), None);
            let entry = self
                .sign_admission(tenant.clone(), place.await?, admission, asked)
                .await?;
            match self.record_enrollment(asked.clone(), entry).await? {
                Recorded::Issued(issuance) => {
                    let enrolled = self.present(*issuance).await?;
                    return Ok(EnrollmentOutcome::Enrolled(Box::new(enrolled)));
                }
                Recorded::Waiting(_) | Recorded::Raced => known.forget(asked),
            }
        }
        // What the hook of the group has said, which is asked once.
        let mut said = None;
        for attempt in 0..ATTEMPTS {
            let (look, now) = (asked.clone(), self.now());
            let ground = self
                .inner
                .store
                .read("enroll_look", move |tx| examine(tx, &look, now))
                .await?;
            self.hear(asked, &ground, &mut said).await?;
            let Ground {
                tenant,
                group,
                finding,
                ..
            } = ground;
            let recorded = match finding {
                Finding::Again(issuance) => Recorded::Issued(issuance),
                Finding::Waiting { device } => Recorded::Waiting(device),
                Finding::Apply(displacing) => {
                    let arriving = Arriving::applying(&tenant, group, displacing);
                    let place = self.find_place(asked, arriving, said.as_ref()).await;
                    let Some(place) = free(place, attempt)? else {
                        continue;
                    };
                    self.record_application(asked.clone(), place).await?
                }
                Finding::Anew(anew) => {
                    let signed = self.sign_anew(&tenant, &group, &anew, asked).await?;
                    self.record_anew(tenant.id, asked.clone(), signed).await?
                }
                Finding::Admit(admission) => {
                    known.remember(asked, &tenant, &group, &admission);
                    let arriving = Arriving::new(&tenant, group, &admission);
                    let place = self.find_place(asked, arriving, said.as_ref()).await;
                    let Some(place) = free(place, attempt)? else {
                        continue;
                    };
                    let entry = self.sign_admission(tenant, place, admission, asked).await?;
                    self.record_enrollment(asked.clone(), entry).await?
                }
            };
            match recorded {
                Recorded::Raced => {}
                Recorded::Issued(issuance) => {
                    let enrolled = self.present(*issuance).await?;
                    return Ok(EnrollmentOutcome::Enrolled(Box::new(enrolled)));
                }
                Recorded::Waiting(device) => return pending(*device),
            }
        }
        Err(Error::Busy { retry_after_s: 1 })
    }
}

/// A place, where it is not taken. Who has taken it may have done so since the look, as the same device
/// even: `None` where that is to be looked at once more.
fn free(place: Result<Place, Error>, attempt: usize) -> Result<Option<Place>, Error> {
    match place {
        Err(Error::NameTaken { .. } | Error::HardwareConflict) if attempt == 0 => Ok(None),
        place => place.map(Some),
    }
}

fn pending(device: enlist_core::Device) -> Result<EnrollmentOutcome, Error> {
    let enlist_core::State::Pending { code, .. } = device.state() else {
        return Err(Error::Inconsistent(
            "an application without a pending device",
        ));
    };
    Ok(EnrollmentOutcome::Pending {
        device: device.id,
        code: code.clone(),
        name: device.name,
        retry_after_s: PENDING_RETRY_S,
    })
}
