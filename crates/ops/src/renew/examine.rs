//! What a renewal comes to, as the record stands. It is looked at once before signing, and once
//! more, for good, in the transaction that records.

use enlist_attest::{ByCertificate, ByToken, RenewalRefusal, Verified};
use enlist_core::{
    CertificateRecord, Credential, Device, Digest, Group, Issued, KeyRotation, Renewal, Serial,
    StateKind, Tenant, TenantId, Timestamp, TombstoneOf,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use super::{Asked, Proven};
use crate::Error;
use crate::buried::{Tell, refuse_buried};
use crate::issue::Issuance;

/// Where a renewal stands.
pub(super) struct Ground {
    pub(super) tenant: Tenant,
    pub(super) group: Group,
    pub(super) device: Device,
    pub(super) credential: Credential,
    pub(super) finding: Finding,
}

pub(super) enum Finding {
    /// The same renewal as before: the recorded answer is due.
    Again(Box<Issuance>),
    /// It may have a new certificate.
    Fresh(Box<Verified>),
    /// It contradicts an earlier one.
    CloneSuspected,
}

pub(super) fn examine(tx: &mut Tx<'_>, asked: &Asked, now: Timestamp) -> Result<Ground, Error> {
    let presented = match &asked.evidence {
        Proven::Certificate(certificate) => Some(on_record(tx, certificate)?),
        Proven::Token(_) => None,
    };
    let tenant = match &presented {
        Some(record) if record.device != asked.device => return Err(Error::AnotherDevice),
        Some(record) => record.tenant,
        None => tx
            .tenant_of_device(asked.device)?
            .ok_or(Error::NoCredential)?,
    };
    let (device, credential) = in_service(tx, tenant, asked, presented.as_ref())?;
    let tenant = tx
        .tenant(tenant)?
        .ok_or(Error::Inconsistent("a device without its tenant"))?;
    let group = tx
        .group(tenant.id, device.group)?
        .ok_or(Error::Inconsistent("a device without its group"))?;
    let verified = verify(tx, asked, presented.as_ref(), &credential, &group, now)?;
    let finding = match credential.renewal(asked.counter, &asked.request) {
        Renewal::CloneSuspected => Finding::CloneSuspected,
        Renewal::Fresh => {
            let key = TombstoneOf::Key(asked.key);
            refuse_buried(tx, tenant.id, &[&key], Tell::Proven)?;
            let held = [Some(&credential.current), credential.previous.as_ref()];
            let is_held = held.iter().flatten().any(|slot| slot.key == asked.key);
            // A key that the server has made is never the device's own.
            let must_be_new =
                group.practice.key_rotation == KeyRotation::Rotate || credential.pre_enrolled;
            if is_held && must_be_new {
                return Err(Error::KeyNotNew);
            }
            Finding::Fresh(Box::new(verified))
        }
        Renewal::Again => Finding::Again(Box::new(Issuance::new(
            &tenant,
            &group,
            device.clone(),
            certificate_of(tx, &credential.current)?,
        ))),
    };
    Ok(Ground {
        tenant,
        group,
        device,
        credential,
        finding,
    })
}

/// What is on record of a certificate that somebody presents: found by its serial number,
/// believed by its fingerprint.
pub(crate) fn on_record(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
) -> Result<CertificateRecord, Error> {
    let serial = Serial::from_be_bytes(certificate.serial()).ok_or(Error::ForeignCertificate)?;
    tx.certificate(serial)?
        .filter(|record| record.fingerprint == Digest::from_bytes(certificate.fingerprint()))
        .ok_or(Error::ForeignCertificate)
}

/// The device and its credential, where it may renew at all.
fn in_service(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    asked: &Asked,
    presented: Option<&CertificateRecord>,
) -> Result<(Device, Credential), Error> {
    let missing = || match presented {
        // It was one of ours: deprovisioned or deleted since.
        Some(_) => Error::Renewal(RenewalRefusal::Revoked),
        None => Error::NoCredential,
    };
    let device = tx.device(tenant, asked.device)?.ok_or_else(missing)?;
    match device.state().kind() {
        StateKind::Active | StateKind::Created => {}
        StateKind::Suspended => return Err(Error::DeviceSuspended),
        out => return Err(Error::DeviceNotActive(out)),
    }
    let credential = tx.credential(tenant, device.id)?.ok_or_else(missing)?;
    Ok((device, credential))
}

fn verify(
    tx: &mut Tx<'_>,
    asked: &Asked,
    presented: Option<&CertificateRecord>,
    credential: &Credential,
    group: &Group,
    now: Timestamp,
) -> Result<Verified, Error> {
    match (&asked.evidence, presented) {
        (Proven::Certificate(_), Some(presented)) => {
            Ok(ByCertificate { presented }.verify(&asked.csr, credential, now)?)
        }
        (Proven::Token(proof), _) => {
            let mut certificates = vec![certificate_of(tx, &credential.current)?];
            if let Some(previous) = &credential.previous {
                certificates.extend(tx.certificate(previous.serial)?);
            }
            let evidence = ByToken {
                token: &proof.token,
                nonce: &proof.nonce,
                signature: &proof.signature,
                counter: asked.counter,
                request: asked.request.id,
            };
            let ends =
                |certificate: &CertificateRecord| recovery_ends(credential, group, certificate);
            Ok(evidence.verify(&asked.csr, credential, &certificates, ends, now)?)
        }
        (Proven::Certificate(_), None) => Err(Error::NoEvidence),
    }
}

/// Until when a certificate may be renewed by token. One that was made ahead and never used may
/// have lain in a warehouse for as long as the group allows.
pub(crate) fn recovery_ends(
    credential: &Credential,
    group: &Group,
    certificate: &CertificateRecord,
) -> Timestamp {
    if credential.pre_enrolled {
        certificate
            .not_after
            .max(certificate.not_before + group.storage_time)
    } else {
        certificate.not_after + group.recovery_window
    }
}

/// The certificate of what a credential holds.
pub(crate) fn certificate_of(tx: &mut Tx<'_>, slot: &Issued) -> Result<CertificateRecord, Error> {
    tx.certificate(slot.serial)?
        .ok_or(Error::Inconsistent("a credential without its certificate"))
}
