//! Devices: adding one, and how one is seen.

use std::net::IpAddr;

use enlist_core::{
    Actor, CertificateRecord, Device, DeviceId, Group, HardwareIdentity, Labels, Name, NewDevice,
    Operator, Role, StateKind, Tenant, TombstoneOf,
};
use enlist_store::Tx;

use crate::{Error, GroupPath, Ops, What, scope};

/// What an operator says of a device to add.
#[derive(Debug, Clone)]
pub struct AddDevice {
    /// Its name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// The hardware it is going to be.
    pub hardware: Option<HardwareIdentity>,
}

/// A device with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct DeviceView {
    /// The device.
    pub device: Device,
    /// Its tenant's name.
    pub tenant: Name,
    /// Its group's name.
    pub group: Name,
    /// Its current certificate, where it has one.
    pub certificate: Option<CertificateRecord>,
    /// How it asked, while it waits for a person.
    pub applied: Option<Applicant>,
}

/// How a device asked that waits for a person.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// From which address, where that is known.
    pub source: Option<IpAddr>,
    /// The label of the provisioning secret that it has shown, if any.
    pub secret: Option<String>,
    /// What it says it is, by a proof that nobody who is believed vouches for.
    pub unproved: Option<String>,
}

impl Ops {
    /// Creates a device.
    ///
    /// # Errors
    /// When its name is taken, or belongs to one that was deleted.
    pub async fn add_device(
        &self,
        who: &Operator,
        path: GroupPath,
        add: AddDevice,
    ) -> Result<DeviceView, Error> {
        check_labels(&add.labels)?;
        let (who, now) = (who.clone(), self.now());
        let id = DeviceId::new(&*self.inner.clock, &*self.inner.rng);
        self.inner
            .store
            .write("add_device", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Factory, &path)?;
                let new = NewDevice {
                    id,
                    tenant: tenant.id,
                    group: group.id,
                    name: add.name.clone(),
                    labels: add.labels.clone(),
                    hardware: add.hardware.clone(),
                    attested: None,
                    at: now,
                };
                let (device, event) = Device::create(new, Actor::Operator(who.token));
                insert(tx, &device)?;
                // After inserting: what has just made room for the name is seen now.
                refuse_tombstoned(tx, &group, &add.name)?;
                tx.append(&event)?;
                view(tx, &tenant, &group, device)
            })
            .await
    }
}

/// The bounds of what a device may be labelled with.
pub(crate) fn check_labels(labels: &Labels) -> Result<(), Error> {
    let fits = labels.len() <= 32
        && labels.iter().all(|(key, value)| {
            (1..=63).contains(&key.len())
                && value.len() <= 255
                && !key.chars().chain(value.chars()).any(char::is_control)
        });
    if fits {
        return Ok(());
    }
    Err(Error::InvalidRequest(
        "labels: 32 at most, keys of 1 to 63 and values of up to 255 bytes, without control characters"
            .to_owned(),
    ))
}

pub(crate) fn refuse_tombstoned(tx: &mut Tx<'_>, group: &Group, name: &Name) -> Result<(), Error> {
    let of = TombstoneOf::Name(group.id, name.clone());
    match tx.tombstone(group.tenant, &of)? {
        None => Ok(()),
        Some(_) => Err(Error::Tombstoned {
            name: name.clone(),
            group: group.name.clone(),
        }),
    }
}

pub(crate) fn insert(tx: &mut Tx<'_>, device: &Device) -> Result<(), Error> {
    if tx.insert_device(device)? {
        return Ok(());
    }
    Err(Error::NameTaken {
        what: What::Device,
        name: device.name.clone(),
    })
}

/// Saves a device that was in the state `from` when the job loaded it. Within one transaction
/// the state can't have moved, so a miss means that the record contradicts itself.
pub(crate) fn save(tx: &mut Tx<'_>, device: &Device, from: StateKind) -> Result<(), Error> {
    if tx.save_device(device, from)? {
        return Ok(());
    }
    Err(Error::Inconsistent(
        "a device changed while it was being changed",
    ))
}

pub(crate) fn view(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    group: &Group,
    device: Device,
) -> Result<DeviceView, Error> {
    let certificate = match tx.credential(tenant.id, device.id)? {
        None => None,
        Some(credential) => tx.certificate(credential.current.serial)?,
    };
    let applied = match device.state().kind() {
        StateKind::Pending => applied(tx, &device)?,
        _ => None,
    };
    Ok(DeviceView {
        device,
        tenant: tenant.name.clone(),
        group: group.name.clone(),
        certificate,
        applied,
    })
}

fn applied(tx: &mut Tx<'_>, device: &Device) -> Result<Option<Applicant>, Error> {
    let Some(application) = tx.application(device.tenant, device.id)? else {
        return Ok(None);
    };
    let secret = match application.secret {
        Some(secret) => tx.secret(device.tenant, secret)?,
        None => None,
    };
    let unproved = match device.attested {
        Some(_) => None,
        None => tx.unproved_claim(device.tenant, device.id)?,
    };
    Ok(Some(Applicant {
        source: application.source,
        secret: secret.map(|secret| secret.label),
        unproved,
    }))
}
