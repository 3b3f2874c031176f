//! Devices that are ahead of a record that was put back: what they were issued after the backup was made
//! is not on record any more, though a CA of ours has signed it.

use std::time::Duration;

use enlist_ca::BACKDATED;
use enlist_core::{
    Actor, CaKind, CaStanding, CertificateRecord, Credential, Device, DeviceId, Digest, Event,
    Issued, RenewalRequest, RequestId, Serial, Standing, StateKind, TenantId, Timestamp,
    TombstoneOf,
};
use enlist_pki::path::verify_issued;
use enlist_pki::{Certificate, SubjectName};
use enlist_store::Tx;

use super::Restored;
use crate::{Error, Ops, standing};

/// How far the clock of whoever made the backup may have been from that of the servers.
const SKEW: Duration = Duration::from_secs(600);

/// A certificate that is ahead of the record, and whose it is.
struct Ahead {
    certificate: CertificateRecord,
    slot: Issued,
    device: Device,
    credential: Credential,
}

impl Ops {
    /// Whether a refusal is no more, because the certificate was ahead of a record that was put back and is
    /// on record now. TLS has seen that whoever shows it has its key.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn adopts(
        &self,
        refusal: &Error,
        certificate: &Certificate,
    ) -> Result<bool, Error> {
        if !matches!(refusal, Error::ForeignCertificate) {
            return Ok(false);
        }
        let (look, now) = (certificate.clone(), self.now());
        let is_ahead = self
            .inner
            .store
            .read("adopt_look", move |tx| {
                Ok::<_, Error>(ahead(tx, &look, now)?.is_some())
            })
            .await?;
        if !is_ahead {
            return Ok(false);
        }
        let certificate = certificate.clone();
        self.inner
            .store
            .write("adopt", move |tx| match ahead(tx, &certificate, now)? {
                Some(ahead) => ahead.adopt(tx, now),
                // Another request has just done the same.
                None => Ok(true),
            })
            .await
    }
}

/// The certificate with all that belongs to it, where everything says that it was issued to an active device
/// between the backup and its return, and after whatever else is on record for that device.
fn ahead(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Option<Ahead>, Error> {
    let Some(restored) = Restored::read(tx)? else {
        return Ok(None);
    };
    let not_before = Timestamp::from_secs(certificate.not_before());
    let issued_at = not_before + BACKDATED;
    if issued_at + SKEW < restored.made_at || issued_at > restored.restored_at + SKEW {
        return Ok(None);
    }
    let (Some(serial), Some(id)) = (
        Serial::from_be_bytes(certificate.serial()),
        named(certificate),
    ) else {
        return Ok(None);
    };
    if tx.certificate(serial)?.is_some() {
        return Ok(None);
    }
    let Some(tenant) = tx.tenant_of_device(id)? else {
        return Ok(None);
    };
    let device = tx.device(tenant, id)?;
    let device = device.filter(|device| device.state().kind() == StateKind::Active);
    let (Some(device), Some(credential)) = (device, tx.credential(tenant, id)?) else {
        return Ok(None);
    };
    let current = tx.certificate(credential.current.serial)?;
    if current.is_none_or(|current| current.not_before >= not_before) {
        return Ok(None);
    }
    let Ok(key) = certificate.public_key() else {
        return Ok(None);
    };
    let key = Digest::from_bytes(key.digest());
    let Some(certificate) = issued(tx, certificate, (tenant, id, serial), now)? else {
        return Ok(None);
    };
    if tx.tombstoned(tenant, &[&TombstoneOf::Key(key)])?.is_some() {
        return Ok(None);
    }
    let slot = Issued {
        serial,
        key,
        not_after: certificate.not_after,
    };
    Ok(Some(Ahead {
        certificate,
        slot,
        device,
        credential,
    }))
}

/// The record of a certificate that the tenant's issuing CA has signed, and that is good now.
fn issued(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    (tenant, device, serial): (TenantId, DeviceId, Serial),
    now: Timestamp,
) -> Result<Option<CertificateRecord>, Error> {
    let cas = tx.cas(CaKind::Issuing, Some(tenant))?;
    let is_by = |ca: &&enlist_core::CaRecord| {
        ca.standing == CaStanding::Current
            && Certificate::from_der(&ca.certificate)
                .is_ok_and(|issuer| verify_issued(certificate, &issuer, now.as_secs()).is_ok())
    };
    Ok(cas.iter().find(is_by).map(|ca| CertificateRecord {
        serial,
        tenant,
        device,
        issuer: ca.id,
        fingerprint: Digest::from_bytes(certificate.fingerprint()),
        not_before: Timestamp::from_secs(certificate.not_before()),
        not_after: Timestamp::from_secs(certificate.not_after()),
        standing: Standing::Good,
        der: certificate.der().to_vec(),
    }))
}

/// The device that a certificate names.
fn named(certificate: &Certificate) -> Option<DeviceId> {
    let mut ids = certificate.names().iter().filter_map(|name| match name {
        SubjectName::Uri(uri) => uri.strip_prefix("urn:uuid:")?.parse().ok(),
        _ => None,
    });
    ids.next().filter(|_| ids.next().is_none())
}

impl Ahead {
    /// Puts it on record as the device's current certificate, which it has just used: those before it give
    /// way. How far the device has counted is not known; whatever it comes with next is higher than what is
    /// on record.
    fn adopt(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
        let before = self.credential;
        let mut credential = before.clone();
        credential.current = self.slot;
        credential.previous = None;
        // Of the renewal that it came by nothing is known, but that there was one.
        credential.request = Some(RenewalRequest {
            id: RequestId::from_bytes([0; 16]),
            key: self.slot.key,
        });
        if !tx.save_credential(&credential, before.counter, before.current.serial)? {
            return Ok(false);
        }
        if !tx.record_certificate(&self.certificate)? {
            // The CA has just been retired.
            return Err(Error::ForeignCertificate);
        }
        for slot in [Some(before.current), before.previous].iter().flatten() {
            standing::supersede(tx, &credential, slot, now)?;
        }
        let by = Actor::Device(self.device.id);
        let event = Event::new("certificate-adopted", self.device.subject(), by, now)
            .with("serial", self.slot.serial)
            .with("instead_of", before.current.serial);
        tx.append(&event)?;
        Ok(true)
    }
}
