//! Who a device is that shows its certificate, and whether it is heard.

use enlist_attest::{ByCertificate, RenewalRefusal};
use enlist_core::{
    CertificateRecord, Credential, Device, DeviceId, Group, Name, OnHardwareChange, Standing,
    StateKind, Tenant, Timestamp,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use crate::renew::{on_record, recovery_ends};
use crate::{Error, Ops, Source, standing};

/// A device that has shown a certificate of its own, with all that is on record of it.
#[derive(Debug, Clone)]
pub(crate) struct Presented {
    pub(crate) tenant: Tenant,
    pub(crate) group: Group,
    pub(crate) device: Device,
    pub(crate) credential: Credential,
    pub(crate) certificate: CertificateRecord,
}

/// What a device comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To learn what there is for it. On its way out it is heard with an expired or held certificate
    /// too.
    Asking,
    /// The same of one that finds itself on other hardware, and renews nothing before a person has accepted
    /// that: it is heard with an expired certificate as long as it could renew with it. What is secret it is
    /// given with a good one alone.
    AskingOnOtherHardware,
    /// To change something of its own.
    Changing,
    /// To say that it is about to be wiped: a suspended one may, too.
    Leaving,
}

/// A refusal, and on whose record it belongs.
pub(crate) struct Refused {
    about: Option<(Name, DeviceId)>,
    error: Error,
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            about: None,
            error: error.into(),
        }
    }
}

impl Refused {
    /// What it says.
    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// The refusal alone, where it was counted or will be.
    pub(crate) fn into_error(self) -> Error {
        self.error
    }
}

/// Reads a client certificate.
pub(crate) fn client_certificate(der: Option<Vec<u8>>) -> Result<Certificate, Error> {
    let der = der.ok_or(Error::NoEvidence)?;
    Certificate::from_der(&der).map_err(|_| Error::ForeignCertificate)
}

/// The device whose certificate this is, where it is heard now.
pub(crate) fn presented(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    errand: Errand,
    now: Timestamp,
) -> Result<Presented, Refused> {
    let certificate = on_record(tx, certificate)?;
    let tenant = tx
        .tenant(certificate.tenant)?
        .ok_or(Error::Inconsistent("a certificate without its tenant"))?;
    let about = Some((tenant.name.clone(), certificate.device));
    hear(tx, tenant, certificate, errand, now).map_err(|error| Refused { about, error })
}

fn hear(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    certificate: CertificateRecord,
    errand: Errand,
    now: Timestamp,
) -> Result<Presented, Error> {
    use RenewalRefusal::{Expired, NotInUse, Revoked};
    let device = tx
        .device(tenant.id, certificate.device)?
        .ok_or(Error::Renewal(Revoked))?;
    let state = device.state().kind();
    if state == StateKind::Decommissioned {
        return Err(Error::DeviceNotActive(state));
    }
    let credential = tx
        .credential(tenant.id, device.id)?
        .ok_or(Error::Renewal(Revoked))?;
    let group = tx
        .group(tenant.id, device.group)?
        .ok_or(Error::Inconsistent("a device without its group"))?;
    let in_use = credential.slot(certificate.serial).is_some()
        && !matches!(certificate.standing, Standing::Revoked { .. });
    match (state, errand) {
        (StateKind::Decommissioning, Errand::Changing) => {
            return Err(Error::DeviceNotActive(state));
        }
        (StateKind::Decommissioning, _) if in_use => {}
        (StateKind::Decommissioning, _) => return Err(Error::Renewal(NotInUse)),
        (StateKind::Suspended, Errand::Leaving) if !in_use => {
            return Err(Error::Renewal(NotInUse));
        }
        (StateKind::Suspended, Errand::Leaving) if now > certificate.not_after => {
            return Err(Error::Renewal(Expired));
        }
        (StateKind::Suspended, Errand::Leaving) => {}
        (StateKind::Suspended, _) => return Err(Error::DeviceSuspended),
        _ => {
            let waits = errand == Errand::AskingOnOtherHardware
                && group.practice.on_hardware_change != OnHardwareChange::Refuse
                && now <= recovery_ends(&credential, &group, &certificate);
            // By the last moment at which it was good: everything else has to be as ever.
            let at = if waits {
                now.min(certificate.not_after)
            } else {
                now
            };
            ByCertificate {
                presented: &certificate,
            }
            .authenticate(&credential, at)?;
        }
    }
    Ok(Presented {
        tenant,
        group,
        device,
        credential,
        certificate,
    })
}

impl Presented {
    /// Whether the certificate that was shown is a new one, in use for the first time.
    pub(crate) fn is_first_use(&self) -> bool {
        let credential = &self.credential;
        (credential.previous.is_some() || credential.holds_unused_server_key())
            && credential.current.serial == self.certificate.serial
    }

    /// A refusal that belongs on the device's record.
    pub(crate) fn refuse(&self, error: impl Into<Error>) -> Refused {
        Refused {
            about: Some((self.tenant.name.clone(), self.device.id)),
            error: error.into(),
        }
    }

    /// Whether the certificate that was shown has expired.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now > self.certificate.not_after
    }

    /// Retires the certificate before the one that was shown, where that is a new one.
    pub(crate) fn retire_previous(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
        let before = &self.credential;
        let (credential, retired) = before.clone().used(self.certificate.serial);
        if credential == *before {
            return Ok(());
        }
        // A miss means that another request has just done the same.
        if tx.save_credential(&credential, before.counter, before.current.serial)?
            && let Some(retired) = retired
        {
            standing::supersede(tx, &credential, &retired, now)?;
        }
        Ok(())
    }
}

impl Ops {
    /// Counts a refusal where there is one.
    pub(crate) fn heard<T>(&self, outcome: Result<T, Refused>, source: Source) -> Result<T, Error> {
        outcome.map_err(|Refused { about, error }| {
            if let Some((tenant, device)) = about {
                let refusals = &self.inner.refusals;
                refusals.count(tenant.as_str(), device, &error, source);
            }
            error
        })
    }
}
