//! A device that enrolled before asks again.

use enlist_attest::{Attested, BySecret, RenewalRefusal, Verified};
use enlist_core::{
    CertificateRecord, Credential, Device, Group, SecretRecord, Standing, Tenant, Timestamp,
};
use enlist_store::Tx;

use super::examine::{Finding, in_service, named};
use super::{Asked, bounds};
use crate::issue::Issuance;
use crate::renew::{certificate_of, recovery_ends};
use crate::{Error, zero_touch};

/// A device that is to have a certificate in place of the one it has.
pub(super) struct Anew {
    pub(super) device: Device,
    pub(super) credential: Credential,
    /// What issuing takes.
    pub(super) verified: Verified,
}

/// The device without a token that asks by name, and holds a certificate over the key it asks for.
/// It has re-enrolled onto that key, so that the key it first came with says nothing.
pub(super) fn returned(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
) -> Result<Option<(Device, Credential)>, Error> {
    if asked.token.is_some() {
        return Ok(None);
    }
    let Some(device) = named(tx, asked, group)? else {
        return Ok(None);
    };
    let credential = tx.credential(device.tenant, device.id)?;
    Ok(credential
        .filter(|held| held.token.is_none() && held.slot_of_key(&asked.key).is_some())
        .map(|held| (device, held)))
}

/// Refuses what has proved to be other hardware than the device whose key it asks with: whoever has seen a
/// CSR can send it.
pub(super) fn same_hardware(tx: &mut Tx<'_>, asked: &Asked, device: &Device) -> Result<(), Error> {
    let Some(proved) = asked.attested.as_ref().map(Attested::identity) else {
        return Ok(());
    };
    if device.attested.as_ref() == Some(proved) {
        return Ok(());
    }
    let is_another = tx.device_by_attested(device.tenant, proved)?;
    if is_another.is_some_and(|other| other.id != device.id) {
        return Err(Error::AttestedAlreadyEnrolled);
    }
    match device.attested {
        Some(_) => Err(Error::EnrollmentConflict {
            with: "another hardware identity",
        }),
        // It came with a secret, or waited while nobody vouched for it.
        None => Ok(()),
    }
}

/// What a device that enrolled before is due, which asks at one group and is in one: mostly the same.
pub(super) fn enrolled_before(
    tx: &mut Tx<'_>,
    asked: &Asked,
    secret: Option<&SecretRecord>,
    (tenant, asked_at, group): (&Tenant, &Group, &Group),
    (device, credential): (Device, Credential),
    now: Timestamp,
) -> Result<Finding, Error> {
    in_service(&device)?;
    same_hardware(tx, asked, &device)?;
    let already = Error::AlreadyEnrolled { device: device.id };
    let again = |device, certificate| {
        let issuance = Issuance::new(tenant, group, device, certificate);
        Ok(Finding::Again(Box::new(issuance)))
    };
    let anew = |tx: &mut Tx<'_>, device: Device, credential| {
        let verified = match (&asked.secret, &asked.attested) {
            (Some(shown), _) => {
                let evidence = BySecret {
                    secret: shown,
                    csr: &asked.csr,
                    source: asked.source,
                };
                evidence.verify_return(secret, asked_at.id, now)?
            }
            (None, Some(attested)) if device.attested.as_ref() == Some(attested.identity()) => {
                // As at the first time.
                if !zero_touch::counts(asked_at, attested) {
                    return Err(Error::AttestationRequired);
                }
                if !bounds::lists(tx, asked_at, attested)? {
                    return Err(Error::AttestationNotOnManifest);
                }
                attested.verified().clone()
            }
            (None, _) => return Err(Error::AttestationRequired),
        };
        Ok(Finding::Anew(Box::new(Anew {
            device,
            credential,
            verified,
        })))
    };
    if asked.certified.is_servers() {
        // A key that the server makes is handed out once and kept nowhere.
        if !credential.holds_unused_server_key() || credential.enrolled_key != asked.key {
            return Err(already);
        }
        may_recover(
            &credential,
            group,
            &certificate_of(tx, &credential.current)?,
            now,
        )?;
        return anew(tx, device, credential);
    }
    if credential.token.is_some() {
        let certificate = certificate_of(tx, &credential.current)?;
        let stands = certificate.standing == Standing::Good && now <= certificate.not_after;
        return if credential.is_as_enrolled() && stands {
            again(device, certificate)
        } else {
            Err(already)
        };
    }
    // Without a token there is nothing else to recover by: the key that is certified comes back.
    let Some(slot) = credential.slot_of_key(&asked.key).copied() else {
        return Err(already);
    };
    let certificate = certificate_of(tx, &slot)?;
    may_recover(&credential, group, &certificate, now)?;
    if now > certificate.not_after {
        return anew(tx, device, credential);
    }
    if slot.serial != credential.current.serial {
        return Err(already);
    }
    again(device, certificate)
}

/// Whether a name and a secret bring a device back that holds this certificate.
fn may_recover(
    credential: &Credential,
    group: &Group,
    certificate: &CertificateRecord,
    now: Timestamp,
) -> Result<(), Error> {
    if certificate.standing != Standing::Good {
        return Err(RenewalRefusal::Revoked.into());
    }
    if now > recovery_ends(credential, group, certificate) {
        return Err(RenewalRefusal::PastRecovery.into());
    }
    Ok(())
}
