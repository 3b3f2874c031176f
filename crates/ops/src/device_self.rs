//! A device asks about itself: the first use of a new certificate, and how it learns that it is
//! on its way out.

use enlist_attest::ByCertificate;
use enlist_core::{CertificateRecord, Device, Name, StateKind, Timestamp};
use enlist_pki::Certificate;
use enlist_store::Tx;

use crate::renew::on_record;
use crate::{Error, Ops, Source, standing};

/// What a device is told about itself.
#[derive(Debug, Clone)]
pub struct DeviceSelf {
    /// The device.
    pub device: Device,
    /// Its tenant's name.
    pub tenant: Name,
    /// Its group's name.
    pub group: Name,
    /// The certificate it came with.
    pub certificate: CertificateRecord,
    /// The server's time.
    pub now: Timestamp,
}

impl Ops {
    /// Tells the holder of a client certificate about itself. Where it is the new certificate's
    /// first use, the previous one is retired by it.
    ///
    /// # Errors
    /// When the certificate is not one of ours, or no longer good.
    pub async fn device_self(
        &self,
        certificate: Option<Vec<u8>>,
        source: Source,
    ) -> Result<DeviceSelf, Error> {
        let der = certificate.ok_or(Error::NoEvidence)?;
        let certificate = Certificate::from_der(&der).map_err(|_| Error::ForeignCertificate)?;
        let now = self.now();
        let look = certificate.clone();
        let found = self
            .inner
            .store
            .read("device_self", move |tx| look_at(tx, &look, now))
            .await;
        let (answer, first_use) = match found {
            Ok(found) => found,
            Err(Refused { tenant, error }) => {
                if let Some(tenant) = tenant {
                    let tenant = tenant.as_str();
                    self.inner.refusals.count(tenant, None, &error, source);
                }
                return Err(error);
            }
        };
        if first_use {
            self.retire_previous(certificate).await?;
        }
        Ok(answer)
    }

    async fn retire_previous(&self, certificate: Certificate) -> Result<(), Error> {
        let now = self.now();
        self.inner
            .store
            .write("retire_previous", move |tx| {
                let record = on_record(tx, &certificate)?;
                let Some(before) = tx.credential(record.tenant, record.device)? else {
                    return Ok(());
                };
                let (credential, retired) = before.clone().used(record.serial);
                let Some(retired) = retired else {
                    return Ok(());
                };
                // A miss means that another request has just done the same.
                if tx.save_credential(&credential, before.counter, before.current.serial)? {
                    standing::supersede(tx, &credential, &retired, now)?;
                }
                Ok(())
            })
            .await
    }
}

/// A refusal, and on whose record it belongs.
struct Refused {
    tenant: Option<Name>,
    error: Error,
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            tenant: None,
            error: error.into(),
        }
    }
}

fn look_at(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<(DeviceSelf, bool), Refused> {
    let record = on_record(tx, certificate)?;
    let tenant = tx
        .tenant(record.tenant)?
        .ok_or(Error::Inconsistent("a certificate without its tenant"))?;
    look_in(tx, record, &tenant, now).map_err(|error| Refused {
        tenant: Some(tenant.name),
        error,
    })
}

fn look_in(
    tx: &mut Tx<'_>,
    certificate: CertificateRecord,
    tenant: &enlist_core::Tenant,
    now: Timestamp,
) -> Result<(DeviceSelf, bool), Error> {
    use enlist_attest::RenewalRefusal::Revoked;
    let device = tx
        .device(tenant.id, certificate.device)?
        .ok_or(Error::Renewal(Revoked))?;
    let credential = tx.credential(tenant.id, device.id)?;
    match device.state().kind() {
        StateKind::Suspended => return Err(Error::DeviceSuspended),
        StateKind::Decommissioned => {
            return Err(Error::DeviceNotActive(StateKind::Decommissioned));
        }
        // On its way out it may poll, with an expired or held certificate too.
        StateKind::Decommissioning => {}
        StateKind::Active | StateKind::Created | StateKind::Pending => {
            let credential = credential.as_ref().ok_or(Error::Renewal(Revoked))?;
            ByCertificate {
                presented: &certificate,
            }
            .authenticate(credential, now)?;
        }
    }
    let group = tx
        .group(tenant.id, device.group)?
        .ok_or(Error::Inconsistent("a device without its group"))?;
    let first_use = credential.is_some_and(|credential| {
        credential.previous.is_some() && credential.current.serial == certificate.serial
    });
    let answer = DeviceSelf {
        device,
        tenant: tenant.name.clone(),
        group: group.name,
        certificate,
        now,
    };
    Ok((answer, first_use))
}
