//! What a newcomer's request comes to, as the record stands. It is looked at once before
//! signing, and once more, for good, in the transaction that records.

use enlist_attest::{Attested, BySecret, Verified};
use enlist_core::{
    Device, DeviceId, EnrollmentPolicy, Group, HardwareIdentity, Hook, Landing, Name, SecretRecord,
    StateKind, Tenant, Timestamp, TombstoneOf,
};
use enlist_store::Tx;

use super::again::{Anew, enrolled_before, returned, same_hardware};
use super::displacing::Displacing;
use super::{Asked, bounds, landed};
use crate::Error;
use crate::buried::refuse_buried;
use crate::issue::Issuance;
use crate::zero_touch;

/// Where a request stands: whom it is to, and what it comes to.
pub(super) struct Ground {
    pub(super) tenant: Tenant,
    /// The group that it is in, and for a newcomer the one that it asks at.
    pub(super) group: Group,
    /// Who is to be asked about a newcomer.
    pub(super) hook: Option<Hook>,
    /// The label of the secret that it brings.
    pub(super) secret_label: Option<String>,
    pub(super) finding: Finding,
}

pub(super) enum Finding {
    /// The same request as before: the recorded answer is due.
    Again(Box<Issuance>),
    /// The same application as before: it waits for a person.
    Waiting { device: Box<Device> },
    /// It may apply, and a person decides.
    Apply(Displacing),
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
    /// The secret that lets it in; none where its hardware does.
    pub(super) secret: Option<SecretRecord>,
    /// Another device that claims the same hardware.
    pub(super) double: Option<DeviceId>,
    /// Who gives way to it.
    pub(super) displacing: Displacing,
}

pub(super) fn examine(tx: &mut Tx<'_>, asked: &Asked, now: Timestamp) -> Result<Ground, Error> {
    // To one without the right secret, tenants and groups that are not there look like wrong
    // secrets; to one without any, like groups that take nobody without.
    let stranger = || match &asked.secret {
        Some(_) => Error::SecretWrong,
        None => zero_touch::refused(asked.attested.as_ref()),
    };
    let names = (asked.tenant.parse::<Name>(), asked.group.parse::<Name>());
    let (Ok(tenant), Ok(group)) = names else {
        return Err(stranger());
    };
    let tenant = tx.tenant_by_name(&tenant)?.ok_or_else(stranger)?;
    let group = tx.group_by_name(tenant.id, &group)?.ok_or_else(stranger)?;
    // What is listed on a manifest may count without a manufacturer: by the policy of then alone.
    if asked.attested.is_some() && asked.policy != group.zero_touch {
        return Err(Error::Busy { retry_after_s: 1 });
    }
    let evidence = asked.secret.as_ref().map(|secret| BySecret {
        secret,
        csr: &asked.csr,
        source: asked.source,
    });
    let secret = match &evidence {
        Some(evidence) => {
            let secret = tx.secret_by_short_id(tenant.id, evidence.secret.short_id())?;
            evidence.verify_again(secret.as_ref(), group.id)?;
            secret
        }
        None => {
            zero_touch::may_enter(&group, asked.attested.as_ref())?;
            None
        }
    };
    let secret_label = secret.as_ref().map(|secret| secret.label.clone());
    let mut displacing = Displacing::default();
    let place = (&tenant, &group);
    let before = repeated(tx, asked, secret.as_ref(), place, &mut displacing, now)?;
    let (group, finding) = match before {
        Some((home, finding)) => (home, finding),
        None => {
            let verified = match &evidence {
                Some(evidence) => Some(evidence.verify(secret.as_ref(), group.id, now)?),
                None => by_proof(tx, asked, &group)?,
            };
            displacing.may = verified.is_some();
            let finding = newcomer(tx, asked, &group, secret, verified, displacing)?;
            (group, finding)
        }
    };
    let hook = match (&finding, group.hook) {
        (Finding::Apply(_) | Finding::Admit(_), Some(_)) => tx.hook(tenant.id, group.id)?,
        _ => None,
    };
    Ok(Ground {
        tenant,
        group,
        hook,
        secret_label,
        finding,
    })
}

/// What lets it in without a secret, where something does.
fn by_proof(tx: &mut Tx<'_>, asked: &Asked, group: &Group) -> Result<Option<Verified>, Error> {
    let Some(attested) = &asked.attested else {
        return Ok(None);
    };
    let lets_in = zero_touch::counts(group, attested) && bounds::lists(tx, group, attested)?;
    Ok(lets_in.then(|| attested.verified().clone()))
}

/// A key that is known already: the same request again, or a contradiction.
fn repeated(
    tx: &mut Tx<'_>,
    asked: &Asked,
    secret: Option<&SecretRecord>,
    (tenant, group): (&Tenant, &Group),
    displacing: &mut Displacing,
    now: Timestamp,
) -> Result<Option<(Group, Finding)>, Error> {
    if let Some(credential) = tx.credential_by_key(tenant.id, &asked.key)? {
        let device = tx
            .device(tenant.id, credential.device)?
            .ok_or(Error::Inconsistent("a credential without a device"))?;
        let home = same_identity(tx, asked, &device, group, credential.token == asked.token)?;
        let (place, before) = ((tenant, group, &home), (device, credential));
        let finding = enrolled_before(tx, asked, secret, place, before, now)?;
        return Ok(Some((home, finding)));
    }
    if zero_touch::may_wait(group)
        && let Some(application) = tx.application_by_key(tenant.id, &asked.key)?
    {
        let device = tx
            .device(tenant.id, application.device)?
            .ok_or(Error::Inconsistent("an application without a device"))?;
        let home = same_identity(tx, asked, &device, group, application.token == asked.token)?;
        if application.unproven.is_some()
            && (secret.is_some() || by_proof(tx, asked, group)?.is_some())
        {
            // It waited with nothing to show, and has something now.
            displacing.own(&device);
            return Ok(None);
        }
        if application.server_key != asked.certified.is_servers() {
            return Err(Error::EnrollmentConflict {
                with: "a key from elsewhere",
            });
        }
        same_hardware(tx, asked, &device)?;
        let device = Box::new(device);
        return Ok(Some((home, Finding::Waiting { device })));
    }
    let Some(before) = returned(tx, asked, group)? else {
        return Ok(None);
    };
    let home = landed::home(tx, &before.0, group, None)?;
    let home = home.map_or_else(|| group.clone(), |(home, _)| home);
    let finding = enrolled_before(tx, asked, secret, (tenant, group, &home), before, now)?;
    Ok(Some((home, finding)))
}

/// The group that the device is in, where it asks as what it is.
fn same_identity(
    tx: &mut Tx<'_>,
    asked: &Asked,
    device: &Device,
    group: &Group,
    same_token: bool,
) -> Result<Group, Error> {
    let conflict = |with| Err(Error::EnrollmentConflict { with });
    if !same_token {
        return conflict("another device token");
    }
    let Some((home, landing)) = landed::home(tx, device, group, asked.name.as_ref())? else {
        return conflict("another group");
    };
    // One that was found by its hardware may have been announced under another name, and one that its
    // group's hook has named said another one before.
    let found_by_hardware = asked.hardware.is_some() && asked.hardware == device.hardware;
    let said_before = |landing: &Landing| landing.name == asked.name;
    if asked.name.as_ref().is_some_and(|name| *name != device.name)
        && !found_by_hardware
        && !landing.as_ref().is_some_and(said_before)
    {
        return conflict("another name");
    }
    Ok(home)
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
    secret: Option<SecretRecord>,
    verified: Option<Verified>,
    mut displacing: Displacing,
) -> Result<Finding, Error> {
    // What is proved stands, whatever others claim.
    let mut alike = match asked.claimed() {
        Some(hardware) => {
            let mut alike = tx.devices_by_hardware(group.tenant, group.id, hardware)?;
            alike.extend(landed::by_hardware(tx, group, hardware)?);
            alike
        }
        None => Vec::new(),
    };
    let named = match named(tx, asked, group)? {
        Some(device) if displacing.set_aside(tx, &device)? => None,
        named => named,
    };
    if group.hardware_is_identity {
        for other in &alike {
            displacing.set_aside(tx, other)?;
        }
    }
    alike.retain(|other| !displacing.has(other.id));
    let proved = match &asked.attested {
        Some(attested) => match zero_touch::proved(tx, group, attested.identity())? {
            None => landed::announced(tx, group, attested.identity())?,
            found => found,
        },
        None => None,
    };
    let by_proof = proved.is_some();
    let device = match (proved, named) {
        (Some(device), _) => Some(device),
        (None, Some(device)) => {
            let fits = match (&device.attested, &asked.attested) {
                (Some(was), attested) => attested.as_ref().map(Attested::identity) == Some(was),
                // A name alone is no proof of being the one who was given it.
                (None, _) => secret.is_some(),
            };
            if !fits {
                return Err(Error::HardwareMismatch { name: device.name });
            }
            Some(device)
        }
        // Where whoever comes gets in, one that says its name is not taken for another.
        (None, None) if asked.name.is_some() && group.enrollment != EnrollmentPolicy::Known => None,
        (None, None) => announced(group, &alike)?,
    };
    if let Some(device) = &device {
        may_enroll(tx, device, group)?;
        let announced = device.hardware.as_ref();
        let is_it = |was: &HardwareIdentity| {
            asked.hardware.as_ref() == Some(was)
                || asked.attested.as_ref().map(Attested::identity) == Some(was)
        };
        // Over what it has proved, nothing counts that it or another has claimed before.
        if group.hardware_is_identity && !by_proof && announced.is_some_and(|was| !is_it(was)) {
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
    let Some(verified) = verified else {
        zero_touch::room_to_wait(tx, group)?;
        return match device {
            None => Ok(Finding::Apply(displacing)),
            Some(device) => Err(Error::HardwareMismatch { name: device.name }),
        };
    };
    let known = device.as_ref().map(|device| device.id);
    bounds::look(tx, asked, group, secret.as_ref(), known)?;
    match (&device, group.enrollment) {
        (None, EnrollmentPolicy::Known) => {
            // What is let in is held against the tombstones when it is recorded.
            refuse_the_buried(tx, asked, group)?;
            Err(Error::UnknownDevice {
                group: group.name.clone(),
            })
        }
        (None, EnrollmentPolicy::Approve) => Ok(Finding::Apply(displacing)),
        // A device that an operator created has been said yes to.
        _ => Ok(Finding::Admit(Box::new(Admission {
            device,
            verified,
            secret,
            double,
            displacing,
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
    let attested = asked.attested.as_ref().map(Attested::identity);
    identities.extend(attested.cloned().map(TombstoneOf::Hardware));
    let identities: Vec<_> = identities.iter().collect();
    refuse_buried(tx, group.tenant, &identities, asked.tell())
}

pub(super) fn named(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
) -> Result<Option<Device>, Error> {
    let Some(name) = &asked.name else {
        return Ok(None);
    };
    match tx.device_by_name(group.tenant, group.id, name)? {
        Some(device) => Ok(Some(device)),
        None => landed::by_name(tx, group, name),
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
        let home = tx.group(device.tenant, device.group)?;
        return Err(Error::DeviceAlreadyEnrolled {
            name: device.name.clone(),
            group: home.map_or_else(|| group.name.clone(), |home| home.name),
        });
    }
    Ok(())
}
