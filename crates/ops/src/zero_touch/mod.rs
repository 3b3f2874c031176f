//! Devices that bring a proof of what they are.

mod challenge;
mod idevid;
mod tpm;
mod trust;

use enlist_attest::Attested;
use enlist_attest::tpm::TpmEvidence;
use enlist_core::{
    Device, EnrollmentPolicy, Group, HardwareIdentity, StateKind, WithoutProof, ZeroTouch,
};
use enlist_pki::Csr;
use enlist_pki::manufacturer::NotVouched;
use enlist_store::Tx;

pub use challenge::Challenge;
pub use tpm::AskChallenge;
pub(crate) use trust::{Believed, ReadManufacturers};

use crate::{Enrollment, Error, Ops};

/// How many devices may wait in one group that have brought neither a secret nor a proof.
const MOST_UNPROVEN: u64 = 1000;

/// What a device brings to prove what it is.
#[derive(Debug)]
pub enum HardwareEvidence {
    /// The client certificate of the TLS connection, which its manufacturer has issued, and what came with
    /// it: DER, its own first. Empty where the connection shows none.
    Idevid(Vec<Vec<u8>>),
    /// A challenge that its TPM has answered, and what that says of the CSR's key.
    Tpm(Box<TpmEvidence>),
}

/// What comes of evidence.
enum Weighed {
    /// It proves what the device is.
    Proved(Attested),
    /// All of it holds, but nobody who is believed vouches for the hardware.
    Unvouched {
        /// What it proves of hardware that nobody vouches for, where that has a name of its own.
        attested: Option<Attested>,
        /// What it says it is, for people to read.
        says: String,
        /// Why nobody does.
        why: NotVouched,
    },
}

/// What a device has proved.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// What it is.
    pub(crate) attested: Option<Attested>,
    /// What the group took in place of a secret when that was weighed.
    pub(crate) policy: Option<ZeroTouch>,
    /// What it says it is, where a person is to decide about that.
    pub(crate) claim: Option<String>,
}

impl Ops {
    /// Verifies what a device brings. Nothing of it is done inside a job of the store, and nothing for one
    /// whose secret is wrong.
    ///
    /// # Errors
    /// The secret is not one of the group's; the proof does not hold, or nobody who is believed vouches for the hardware and the group leaves no
    /// such device to a person.
    pub(crate) async fn attest(
        &self,
        asked: &Enrollment,
        evidence: &HardwareEvidence,
        csr: &Csr,
    ) -> Result<Shown, Error> {
        let has_secret = asked.secret.is_some();
        let trust = self.trust(asked, csr).await.inspect_err(|error| {
            if let (Error::SecretWrong, Some(secret)) = (error, &asked.secret) {
                let guard = &self.inner.guard;
                guard.wrong(asked.source, secret.short_id(), self.now());
            }
        })?;
        let Some(trust) = trust else {
            return Err(Error::AttestationRequired);
        };
        let policy = trust.group.zero_touch.as_ref();
        if policy.is_none() && !has_secret {
            return Err(Error::AttestationRequired);
        }
        let guard = &self.inner.challenge_guard;
        guard.check_source(asked.source, self.now())?;
        let weighed = match evidence {
            HardwareEvidence::Idevid(chain) => self.weigh_idevid(&trust, chain, csr).await,
            HardwareEvidence::Tpm(evidence) => self.weigh_tpm(&trust, evidence, csr, asked),
        };
        if !matches!(weighed, Ok(Weighed::Proved(_))) {
            // Each costs a number of signature checks.
            guard.count(asked.source, self.now());
        }
        let (attested, says, why) = match weighed? {
            Weighed::Proved(attested) => return Ok(Shown::of(attested, policy)),
            Weighed::Unvouched {
                attested,
                says,
                why,
            } => (attested, says, why),
        };
        if let (Some(attested), Some(manifest)) =
            (attested, policy.and_then(|policy| policy.manifest))
        {
            let (tenant, identity) = (trust.group.tenant, attested.identity().clone());
            let is_listed = self
                .inner
                .store
                .read("manifest_look", move |tx| {
                    tx.manifest_lists(tenant, manifest, &identity)
                })
                .await?;
            if is_listed {
                return Ok(Shown::of(attested, policy));
            }
        }
        match policy.map(|policy| policy.without_proof) {
            Some(WithoutProof::Approve) => Ok(Shown {
                claim: Some(says),
                ..Shown::default()
            }),
            _ => Err(Error::AttestationUnknownManufacturer(why)),
        }
    }
}

impl Shown {
    fn of(attested: Attested, policy: Option<&ZeroTouch>) -> Self {
        Self {
            attested: Some(attested),
            policy: policy.cloned(),
            claim: None,
        }
    }
}

/// Whether a device that brings no secret may come in, by what it has proved.
///
/// # Errors
/// That it may not.
pub(crate) fn may_enter(group: &Group, attested: Option<&Attested>) -> Result<(), Error> {
    let Some(policy) = &group.zero_touch else {
        return Err(refused(attested));
    };
    match attested {
        Some(attested) if counts(group, attested) => Ok(()),
        _ if policy.without_proof == WithoutProof::Approve => Ok(()),
        _ => Err(Error::AttestationRequired),
    }
}

/// What a device is told that comes without a secret to where it takes one, or to nowhere.
pub(crate) fn refused(attested: Option<&Attested>) -> Error {
    match attested {
        Some(_) => Error::AttestationRequired,
        None => Error::SecretMissing,
    }
}

/// Whether what it has proved lets a device in.
pub(crate) fn counts(group: &Group, attested: &Attested) -> bool {
    let policy = group.zero_touch.as_ref();
    policy.is_some_and(|policy| policy.accepts(attested.identity()))
}

/// Whether devices may wait for a person in this group.
pub(crate) fn may_wait(group: &Group) -> bool {
    let without_proof = |policy: &ZeroTouch| policy.without_proof;
    group.enrollment == EnrollmentPolicy::Approve
        || group.zero_touch.as_ref().map(without_proof) == Some(WithoutProof::Approve)
}

/// The device that has proved to be `identity`, or was announced as that. Nobody's claim counts here.
pub(crate) fn proved(
    tx: &mut Tx<'_>,
    group: &Group,
    identity: &HardwareIdentity,
) -> Result<Option<Device>, Error> {
    if let Some(device) = tx.device_by_attested(group.tenant, identity)? {
        let landing = tx.landing(device.tenant, device.id)?;
        let is_of_it =
            device.group == group.id || landing.is_some_and(|landing| landing.entry == group.id);
        let waits = device.state().kind() == StateKind::Created && is_of_it;
        if !waits || tx.credential(device.tenant, device.id)?.is_some() {
            return Err(Error::AttestedAlreadyEnrolled);
        }
        return Ok(Some(device));
    }
    that_waits(tx.devices_by_hardware(group.tenant, group.id, identity)?)
}

/// The one of these, which were announced as the same hardware, that waits to come.
///
/// # Errors
/// There are two.
pub(crate) fn that_waits(announced: Vec<Device>) -> Result<Option<Device>, Error> {
    let mut waiting = announced
        .into_iter()
        .filter(|device| device.state().kind() == StateKind::Created);
    match (waiting.next(), waiting.next()) {
        (Some(_), Some(_)) => Err(Error::HardwareConflict),
        (device, _) => Ok(device),
    }
}

/// Whether one more device may wait that has brought neither a secret nor a proof.
pub(crate) fn room_to_wait(tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
    let waiting = tx.count_unproven(group.tenant, group.id, MOST_UNPROVEN)?;
    if waiting < MOST_UNPROVEN {
        Ok(())
    } else {
        Err(Error::TooManyPending)
    }
}
