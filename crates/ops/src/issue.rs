//! From a verified key to a certificate, and from the record to an answer.

use std::sync::Arc;
use std::time::Duration;

use enlist_attest::Verified;
use enlist_ca::{BACKDATED, DeviceSubject};
use enlist_core::{
    CaId, CertificateProfile, CertificateRecord, Device, DeviceId, Digest, Group, GroupId,
    HardwareIdentity, Issued, Name, NewDevice, Practice, Serial, SigningPurpose, Standing, Tenant,
    TenantState, Timestamp,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use crate::{Error, Ops};

/// A certificate that is on record, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Issuance {
    pub(crate) tenant: Name,
    pub(crate) group: Name,
    pub(crate) device: Device,
    pub(crate) certificate: CertificateRecord,
    pub(crate) practice: Practice,
}

impl Issuance {
    pub(crate) fn new(
        tenant: &Tenant,
        group: &Group,
        device: Device,
        certificate: CertificateRecord,
    ) -> Self {
        Self {
            tenant: tenant.name.clone(),
            group: group.name.clone(),
            device,
            certificate,
            practice: group.practice,
        }
    }
}

/// What a device gets when it enrolls or renews.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The device.
    pub device: Device,
    /// Its tenant's name.
    pub tenant: Name,
    /// Its group's name.
    pub group: Name,
    /// Its certificate.
    pub certificate: CertificateRecord,
    /// When that was issued, to the second.
    pub issued_at: Timestamp,
    /// The issuing CA's certificate, PEM.
    pub issuing_pem: Arc<str>,
    /// What stands above that, PEM, up to the outermost, where a root from outside has signed it.
    pub chain_pem: Vec<String>,
    /// The root's certificate, PEM.
    pub root_pem: Arc<str>,
    /// The key that signs commands to the device, PEM (`PUBLIC KEY`).
    pub command_key_pem: Arc<str>,
    /// How its group wants it to go about things.
    pub practice: Practice,
}

/// The device that a certificate is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whom<'a> {
    pub(crate) id: DeviceId,
    pub(crate) name: &'a Name,
    pub(crate) hardware: Option<&'a HardwareIdentity>,
}

impl<'a> From<&'a Device> for Whom<'a> {
    fn from(device: &'a Device) -> Self {
        Self {
            id: device.id,
            name: &device.name,
            hardware: certified(&device.attested, &device.hardware),
        }
    }
}

impl<'a> From<&'a NewDevice> for Whom<'a> {
    fn from(device: &'a NewDevice) -> Self {
        Self {
            id: device.id,
            name: &device.name,
            hardware: certified(&device.attested, &device.hardware),
        }
    }
}

/// A certificate that was signed, and is on no record yet.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    issuer: CaId,
    serial: Serial,
    certificate: Certificate,
    group: GroupId,
    names: (Name, Name),
    profile: CertificateProfile,
    hardware: Option<HardwareIdentity>,
}

/// What a certificate says of a device's hardware: what that has proved, or else what it claims. Never
/// what it was announced as and would have to prove.
fn certified<'a>(
    attested: &'a Option<HardwareIdentity>,
    on_record: &'a Option<HardwareIdentity>,
) -> Option<&'a HardwareIdentity> {
    let claim = on_record.as_ref();
    let claim = claim.filter(|claim| !claim.kind().is_proved());
    attested.as_ref().or(claim)
}

impl Signed {
    /// Whether the rules it was signed by are those of `tenant` and `group` now, and what it says
    /// of the device's hardware is what is on record.
    pub(crate) fn fits(&self, tenant: &Tenant, group: &Group, device: &Device) -> bool {
        self.hardware.as_ref() == Whom::from(device).hardware
            && self.group == group.id
            && self.names.0 == tenant.name
            && self.names.1 == group.name
            && self.profile == group.profile
    }

    pub(crate) fn not_after(&self) -> Timestamp {
        Timestamp::from_secs(self.certificate.not_after())
    }

    /// The credential's slot that holds it; `key` is the digest of the certified key.
    pub(crate) fn slot(&self, key: Digest) -> Issued {
        Issued {
            serial: self.serial,
            key,
            not_after: self.not_after(),
        }
    }

    /// Puts it on record as the device's.
    ///
    /// # Errors
    /// [`Error::CaSuperseded`] where the CA that signed it does not issue any more: the job has to fail,
    /// and [`Ops::is_superseded_ca`] says that it is worth another try.
    pub(crate) fn put(&self, tx: &mut Tx<'_>, device: &Device) -> Result<CertificateRecord, Error> {
        let certificate = self.record(device);
        if tx.record_certificate(&certificate)? {
            Ok(certificate)
        } else {
            Err(Error::CaSuperseded)
        }
    }

    /// What goes on record.
    fn record(&self, device: &Device) -> CertificateRecord {
        CertificateRecord {
            serial: self.serial,
            tenant: device.tenant,
            device: device.id,
            issuer: self.issuer,
            fingerprint: Digest::from_bytes(self.certificate.fingerprint()),
            not_before: Timestamp::from_secs(self.certificate.not_before()),
            not_after: self.not_after(),
            standing: Standing::Good,
            der: self.certificate.der().to_vec(),
        }
    }
}

impl Ops {
    /// Signs a certificate over a verified key. Nothing is recorded.
    pub(crate) async fn sign(
        &self,
        tenant: &Tenant,
        group: &Group,
        whom: Whom<'_>,
        verified: &Verified,
        ttl: Option<Duration>,
    ) -> Result<Signed, Error> {
        if tenant.state == TenantState::AwaitingCa {
            return Err(Error::AwaitingCa {
                name: tenant.name.clone(),
            });
        }
        let lifetime = group.profile.lifetime_for(ttl)?;
        let issuing = self.issuing_ca(tenant).await?;
        let keys = self.inner.authorities.keys();
        let _turn = keys.turn(issuing.in_token).await?;
        let serial = Serial::new(&*self.inner.clock, &*self.inner.rng);
        let subject = DeviceSubject {
            id: whom.id,
            name: whom.name,
            group: &group.name,
            tenant: &tenant.name,
            hardware: whom.hardware,
        };
        let signature = tracing::trace_span!(target: "enlist_trace", "signature");
        let certificate = signature.in_scope(|| {
            issuing.ca.device(
                verified,
                &subject,
                &group.profile,
                lifetime,
                serial,
                self.now(),
            )
        })?;
        Ok(Signed {
            issuer: issuing.id,
            serial,
            certificate,
            group: group.id,
            names: (tenant.name.clone(), group.name.clone()),
            profile: group.profile.clone(),
            hardware: whom.hardware.cloned(),
        })
    }

    /// Adds the chain to what is on record.
    pub(crate) async fn present(&self, issuance: Issuance) -> Result<Enrolled, Error> {
        let issuer = self
            .ca(issuance.certificate.issuer)
            .await?
            .ok_or(Error::Inconsistent("a certificate without its issuer"))?;
        let command_key = self
            .signing_key(issuance.device.tenant, SigningPurpose::Command)
            .await?;
        Ok(Enrolled {
            device: issuance.device,
            tenant: issuance.tenant,
            group: issuance.group,
            issued_at: issuance.certificate.not_before + BACKDATED,
            certificate: issuance.certificate,
            issuing_pem: issuer.pem.clone(),
            chain_pem: issuer.chain.iter().map(Certificate::to_pem).collect(),
            root_pem: self.inner.authorities.hierarchy().root_pem(),
            command_key_pem: command_key.public_pem(),
            practice: issuance.practice,
        })
    }
}
