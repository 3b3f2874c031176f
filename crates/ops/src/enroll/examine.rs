//! What a newcomer's request comes to, as the record stands. It is looked at once before
//! signing, and once more, for good, in the transaction that records.

use enlist_attest::{BySecret, Verified};
use enlist_core::{
    Device, DeviceId, EnrollmentPolicy, Group, Name, SecretRecord, StateKind, Tenant, Timestamp,
    TombstoneOf,
};
use enlist_store::Tx;

use super::Asked;
use super::again::{Anew, enrolled_before, returned};
use crate::Error;
use crate::issue::Issuance;

/// Where a request stands: whom it is to, and what it comes to.
pub(super) struct Ground {
    pub(super) tenant: Tenant,
    pub(super) group: Group,
    pub(super) finding: Finding,
}

pub(super) enum Finding {
    /// The same request as before: the recorded answer is due.
    Again(Box<Issuance>),
    /// The same application as before: it waits for a person.
    Waiting { device: Box<Device> },
    /// It may apply, and a person decides.
    Apply,
    /// It enrolled before, and may have a certificate in place of the one it has.
    Anew(Box<Anew>),
    /// It may have a certificate.
    Admit(Box<Admission>),
}

pub(super) struct Admission {
    /// The device as it was created before; `None` where enrolling creates it.
    pub(super) device: Option<Device>,
    /// What issuing takes.
    pub(super) verified: Verified,
    /// The secret that lets it in.
    pub(super) secret: SecretRecord,
    /// Another device that claims the same hardware.
    pub(super) double: Option<DeviceId>,
}

pub(super) fn examine(tx: &mut Tx<'_>, asked: &Asked, now: Timestamp) -> Result<Ground, Error> {
    // To one without the right secret, tenants and groups that are not there look like wrong
    // secrets.
    let names = (asked.tenant.parse::<Name>(), asked.group.parse::<Name>());
    let (Ok(tenant), Ok(group)) = names else {
        return Err(Error::SecretWrong);
    };
    let tenant = tx.tenant_by_name(&tenant)?.ok_or(Error::SecretWrong)?;
    let group = tx
        .group_by_name(tenant.id, &group)?
        .ok_or(Error::SecretWrong)?;
    let secret = tx.secret_by_short_id(tenant.id, asked.secret.short_id())?;
    let evidence = BySecret {
        secret: &asked.secret,
        csr: &asked.csr,
    };
    evidence.verify_again(secret.as_ref(), group.id)?;

    let finding = match repeated(tx, asked, secret.as_ref(), (&tenant, &group), now)? {
        Some(finding) => finding,
        None => {
            let verified = evidence.verify(secret.as_ref(), group.id, now)?;
            let secret = secret.ok_or(Error::SecretWrong)?;
            newcomer(tx, asked, &group, secret, verified)?
        }
    };
    Ok(Ground {
        tenant,
        group,
        finding,
    })
}

/// A key that is known already: the same request again, or a contradiction.
fn repeated(
    tx: &mut Tx<'_>,
    asked: &Asked,
    secret: Option<&SecretRecord>,
    (tenant, group): (&Tenant, &Group),
    now: Timestamp,
) -> Result<Option<Finding>, Error> {
    if let Some(credential) = tx.credential_by_key(tenant.id, &asked.key)? {
        let device = tx
            .device(tenant.id, credential.device)?
            .ok_or(Error::Inconsistent("a credential without a device"))?;
        same_identity(asked, &device, group, credential.token == asked.token)?;
        let before = (device, credential);
        return enrolled_before(tx, asked, secret, (tenant, group), before, now).map(Some);
    }
    if group.enrollment == EnrollmentPolicy::Approve
        && let Some(application) = tx.application_by_key(tenant.id, &asked.key)?
    {
        let device = tx
            .device(tenant.id, application.device)?
            .ok_or(Error::Inconsistent("an application without a device"))?;
        same_identity(asked, &device, group, application.token == asked.token)?;
        if application.server_key != asked.certified.is_servers() {
            return Err(Error::EnrollmentConflict {
                with: "a key from elsewhere",
            });
        }
        let device = Box::new(device);
        return Ok(Some(Finding::Waiting { device }));
    }
    let Some(before) = returned(tx, asked, group)? else {
        return Ok(None);
    };
    enrolled_before(tx, asked, secret, (tenant, group), before, now).map(Some)
}

fn same_identity(
    asked: &Asked,
    device: &Device,
    group: &Group,
    same_token: bool,
) -> Result<(), Error> {
    let conflict = |with| Err(Error::EnrollmentConflict { with });
    if !same_token {
        return conflict("another device token");
    }
    if device.group != group.id {
        return conflict("another group");
    }
    // One that was found by its hardware may have been announced under another name.
    let found_by_hardware = asked.hardware.is_some() && asked.hardware == device.hardware;
    if asked.name.as_ref().is_some_and(|name| *name != device.name) && !found_by_hardware {
        return conflict("another name");
    }
    Ok(())
}

/// Refuses a device that is out of service, and says how.
pub(super) fn in_service(device: &Device) -> Result<(), Error> {
    match device.state().kind() {
        StateKind::Active | StateKind::Created | StateKind::Pending => Ok(()),
        StateKind::Suspended => Err(Error::DeviceSuspended),
        out => Err(Error::DeviceNotActive(out)),
    }
}

fn newcomer(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
    secret: SecretRecord,
    verified: Verified,
) -> Result<Finding, Error> {
    let alike = match &asked.hardware {
        Some(hardware) => tx.devices_by_hardware(group.tenant, group.id, hardware)?,
        None => Vec::new(),
    };
    let device = match named(tx, asked, group)? {
        Some(device) => Some(device),
        // Where whoever comes gets in, one that says its name is not taken for another.
        None if asked.name.is_some() && group.enrollment != EnrollmentPolicy::Known => None,
        None => announced(group, &alike)?,
    };
    if let Some(device) = &device {
        may_enroll(tx, device, group)?;
        let announced = device.hardware.as_ref();
        if group.hardware_is_identity
            && announced.is_some_and(|was| asked.hardware.as_ref() != Some(was))
        {
            return Err(Error::HardwareMismatch {
                name: device.name.clone(),
            });
        }
    }
    let double = alike
        .iter()
        .map(|other| other.id)
        .find(|other| device.as_ref().is_none_or(|device| device.id != *other));
    if double.is_some() && group.hardware_is_identity {
        return Err(Error::HardwareConflict);
    }
    match (&device, group.enrollment) {
        (None, EnrollmentPolicy::Known) => {
            // What is let in is held against the tombstones when it is recorded.
            refuse_the_buried(tx, asked, group)?;
            Err(Error::UnknownDevice {
                group: group.name.clone(),
            })
        }
        (None, EnrollmentPolicy::Approve) => Ok(Finding::Apply),
        // A device that an operator created has been said yes to.
        _ => Ok(Finding::Admit(Box::new(Admission {
            device,
            verified,
            secret,
            double,
        }))),
    }
}

pub(super) fn refuse_the_buried(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
) -> Result<(), Error> {
    let mut identities = vec![TombstoneOf::Key(asked.key)];
    let name = asked.name.clone();
    identities.extend(name.map(|name| TombstoneOf::Name(group.id, name)));
    identities.extend(asked.hardware.clone().map(TombstoneOf::Hardware));
    let identities: Vec<_> = identities.iter().collect();
    if tx.tombstoned(group.tenant, &identities)?.is_some() {
        return Err(Error::IdentityTombstoned);
    }
    Ok(())
}

fn named(tx: &mut Tx<'_>, asked: &Asked, group: &Group) -> Result<Option<Device>, Error> {
    match &asked.name {
        Some(name) => Ok(tx.device_by_name(group.tenant, group.id, name)?),
        None => Ok(None),
    }
}

/// The device that was announced with this hardware, where there is just one that waits for it.
fn announced(group: &Group, alike: &[Device]) -> Result<Option<Device>, Error> {
    let mut waiting = alike
        .iter()
        .filter(|device| device.state().kind() == StateKind::Created);
    match (waiting.next(), waiting.next()) {
        (Some(device), None) => Ok(Some(device.clone())),
        (None, _) => Ok(None),
        (Some(_), Some(_)) if group.enrollment == EnrollmentPolicy::Known => {
            Err(Error::HardwareConflict)
        }
        (Some(_), Some(_)) => Ok(None),
    }
}

/// A device that was created, and holds nothing yet, may enroll; another key for one that holds
/// credentials takes nothing over.
fn may_enroll(tx: &mut Tx<'_>, device: &Device, group: &Group) -> Result<(), Error> {
    in_service(device)?;
    let holds_something = device.state().kind() != StateKind::Created
        || tx.credential(device.tenant, device.id)?.is_some();
    if holds_something {
        return Err(Error::DeviceAlreadyEnrolled {
            name: device.name.clone(),
            group: group.name.clone(),
        });
    }
    Ok(())
}
