//! A newcomer enrolls.

mod again;
mod anew;
mod examine;
mod known;
mod record;
mod server_key;

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{
    ApprovalCode, DeviceId, DeviceToken, Digest, HardwareIdentity, Name, ProvisioningSecret,
};
use enlist_pki::Csr;

use crate::{Enrolled, Error, Ops, Source};
pub(crate) use anew::{request_by, request_of};
use examine::{Finding, Ground, examine};
pub(crate) use known::KnownGrounds;
pub(crate) use record::Missed;
use record::Recorded;
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
    secret: ProvisioningSecret,
    name: Option<Name>,
    hardware: Option<HardwareIdentity>,
    csr: Csr,
    /// Of the CSR: what the same request is known by.
    key: Digest,
    /// The key to certify.
    certified: KeyOf,
    token: Option<Digest>,
    ttl: Option<Duration>,
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
        let outcome = self.admit(enrollment, KeyOf::Csr).await.0;
        if let Err(error) = &outcome {
            self.inner.refusals.count(&tenant, None, error, source);
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
        let asked = match self.read(enrollment, certified) {
            Ok(asked) => Arc::new(asked),
            Err(error) => return (Err(error), None),
        };
        let outcome = self.settle(&asked).await;
        let (guard, id) = (&self.inner.guard, asked.secret.short_id());
        match &outcome {
            Err(Error::SecretWrong) => guard.wrong(source, id, self.now()),
            Ok(_) => guard.right(id),
            Err(_) => {}
        }
        (outcome, Some(asked))
    }

    /// Reads what was sent; the cheap checks come before the dear ones.
    fn read(&self, enrollment: Enrollment, certified: KeyOf) -> Result<Asked, Error> {
        let secret = enrollment.secret.ok_or(Error::SecretMissing)?;
        let guard = &self.inner.guard;
        guard.check(enrollment.source, secret.short_id(), self.now())?;
        let csr = Csr::from_der(&enrollment.csr)?;
        certified.refuse_encryption(&csr)?;
        Ok(Asked {
            tenant: enrollment.tenant,
            group: enrollment.group,
            secret,
            name: enrollment.name,
            hardware: enrollment.hardware,
            key: Digest::from_bytes(csr.public_key().digest()),
            csr,
            certified,
            token: enrollment.token.map(|token| token.digest()),
            ttl: enrollment.ttl,
        })
    }

    async fn settle(&self, asked: &Arc<Asked>) -> Result<EnrollmentOutcome, Error> {
        let known = &self.inner.known_grounds;
        if let Some((tenant, group, admission)) = known.guess(asked, self.now()) {
            let entry = self.sign_admission(tenant, group, admission, asked).await?;
            match self.record_enrollment(asked.clone(), entry).await? {
                Recorded::Issued(issuance) => {
                    let enrolled = self.present(*issuance).await?;
                    return Ok(EnrollmentOutcome::Enrolled(Box::new(enrolled)));
                }
                Recorded::Waiting(_) | Recorded::Raced => known.forget(asked),
            }
        }
        for _ in 0..ATTEMPTS {
            let (look, now) = (asked.clone(), self.now());
            let ground = self
                .inner
                .store
                .read("enroll_look", move |tx| examine(tx, &look, now))
                .await?;
            let Ground {
                tenant,
                group,
                finding,
            } = ground;
            let recorded = match finding {
                Finding::Again(issuance) => Recorded::Issued(issuance),
                Finding::Waiting { device } => Recorded::Waiting(device),
                Finding::Apply => self.record_application(asked.clone()).await?,
                Finding::Anew(anew) => {
                    let signed = self.sign_anew(&tenant, &group, &anew, asked).await?;
                    self.record_anew(tenant.id, asked.clone(), signed).await?
                }
                Finding::Admit(admission) => {
                    known.remember(asked, &tenant, &group, &admission);
                    let entry = self.sign_admission(tenant, group, admission, asked).await?;
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
