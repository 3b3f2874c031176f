//! Pages of what is on record.

use std::collections::HashMap;

use enlist_core::{
    Actor, ApiTokenId, CertificateRecord, DeviceId, Event, EventId, GroupId, Name, Operator, Role,
    Serial, StateKind, Tenant, Timestamp,
};
use enlist_store::Tx;

use crate::devices::{DeviceView, view};
use crate::{Error, GroupPath, Ops, What, scope};

/// A page, and where the next one starts.
#[derive(Debug, Clone)]
pub struct Listed<T, Next> {
    /// What is on the page.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; `None` on the last one.
    pub next: Option<Next>,
}

/// Which devices to list.
#[derive(Debug, Clone)]
pub struct DeviceFilter {
    /// In which group.
    pub path: GroupPath,
    /// In which state; `None` for any.
    pub state: Option<StateKind>,
    /// After which device.
    pub after: Option<DeviceId>,
    /// How many at most.
    pub limit: usize,
}

/// Which certificates to list.
#[derive(Debug, Clone, Default)]
pub struct CertificateFilter {
    /// In which group; `None` for all.
    pub group: Option<String>,
    /// Of which device of that group; `None` for all.
    pub device: Option<String>,
    /// After which certificate.
    pub after: Option<Serial>,
    /// How many at most.
    pub limit: usize,
}

/// A certificate with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct CertificateView {
    /// The certificate.
    pub certificate: CertificateRecord,
    /// Its device's name, where that is still there.
    pub device: Option<Name>,
    /// Its device's group, where that is still there.
    pub group: Option<Name>,
    /// Which place it has in its device's credential, where it has one.
    pub slot: Option<Slot>,
}

/// A place in a device's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The certificate in force.
    Current,
    /// The one before it, until the new one has been used.
    Previous,
}

/// An event with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// The event.
    pub event: Event,
    /// The name of its group, where that is still there.
    pub group: Option<Name>,
    /// The label of the token by which it was done.
    pub by: Option<String>,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// In which group; `None` for all.
    pub group: Option<String>,
    /// Of which device of that group; `None` for all.
    pub device: Option<String>,
    /// Of which kind; `None` for all.
    pub kind: Option<String>,
    /// By whom: `server`, `newcomer`, `device:ID`, `token:ID`, or the label of a token; `None` for all.
    pub actor: Option<String>,
    /// Since when; `None` for ever.
    pub since: Option<Timestamp>,
    /// After which event.
    pub after: Option<EventId>,
    /// How many at most.
    pub limit: usize,
}

impl Ops {
    /// Devices of a group, oldest first.
    ///
    /// # Errors
    /// When the group is not there.
    pub async fn devices(
        &self,
        who: &Operator,
        filter: DeviceFilter,
    ) -> Result<Listed<DeviceView, DeviceId>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("devices", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Viewer, &filter.path)?;
                let devices = tx.devices_page(
                    tenant.id,
                    &enlist_store::DeviceFilter {
                        group: Some(group.id),
                        state: filter.state,
                        after: filter.after,
                        limit: filter.limit,
                    },
                )?;
                let next = next(&devices, filter.limit, |device| device.id);
                let items = devices
                    .into_iter()
                    .map(|device| view(tx, &tenant, &group, device))
                    .collect::<Result<_, _>>()?;
                Ok(Listed { items, next })
            })
            .await
    }

    /// Certificates on record, each with its device where that is still there.
    ///
    /// # Errors
    /// When tenant, group or device are not there.
    pub async fn certificates(
        &self,
        who: &Operator,
        tenant: String,
        filter: CertificateFilter,
    ) -> Result<Listed<CertificateView, Serial>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("certificates", move |tx| {
                let (tenant, _) = scope::part(tx, &who, Role::Viewer, &tenant)?;
                let (group, device) = about(tx, &who, &tenant, &filter.group, &filter.device)?;
                let certificates = tx.certificates_page(
                    tenant.id,
                    &enlist_store::CertificateFilter {
                        group,
                        device,
                        after: filter.after,
                        limit: filter.limit,
                    },
                )?;
                let next = next(&certificates, filter.limit, |one| one.serial);
                let items = certificates
                    .into_iter()
                    .map(|one| with_its_device(tx, one))
                    .collect::<Result<_, _>>()?;
                Ok(Listed { items, next })
            })
            .await
    }

    /// Events, oldest first, each with its group's name where the group is still there, and the label of
    /// the token by which it was done.
    ///
    /// # Errors
    /// When tenant, group or device are not there.
    pub async fn events(
        &self,
        who: &Operator,
        tenant: String,
        filter: EventFilter,
    ) -> Result<Listed<EventView, EventId>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("events", move |tx| {
                let (tenant, _) = scope::part(tx, &who, Role::Viewer, &tenant)?;
                let (group, device) = about(tx, &who, &tenant, &filter.group, &filter.device)?;
                let labels = labels(tx, &tenant)?;
                let actors = match &filter.actor {
                    Some(actor) => Some(actors(actor, &labels)?),
                    None => None,
                };
                let events = tx.events_page(
                    tenant.id,
                    &enlist_store::EventFilter {
                        group,
                        device,
                        kind: filter.kind.clone(),
                        actors,
                        since: filter.since,
                        after: filter.after,
                        limit: filter.limit,
                    },
                )?;
                let next = next(&events, filter.limit, |(id, _)| *id);
                let names: HashMap<_, _> = tx
                    .groups(tenant.id)?
                    .into_iter()
                    .map(|group| (group.id, group.name))
                    .collect();
                let items = events
                    .into_iter()
                    .map(|(id, event)| {
                        let group = event.subject.group.and_then(|id| names.get(&id).cloned());
                        let by = match &event.actor {
                            Actor::Operator(token) => labels.get(token).cloned(),
                            _ => None,
                        };
                        EventView {
                            id,
                            event,
                            group,
                            by,
                        }
                    })
                    .collect();
                Ok(Listed { items, next })
            })
            .await
    }
}

/// The labels of all tokens that may have done something in a tenant, those that were withdrawn too.
fn labels(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<HashMap<ApiTokenId, String>, Error> {
    let mut tokens = tx.api_tokens(Some(tenant.id))?;
    tokens.extend(tx.api_tokens(None)?);
    Ok(tokens.into_iter().map(|one| (one.id, one.label)).collect())
}

/// Whom a filter means, in text form.
fn actors(asked: &str, labels: &HashMap<ApiTokenId, String>) -> Result<Vec<String>, Error> {
    if Actor::parse(asked).is_some() {
        return Ok(vec![asked.to_owned()]);
    }
    let called = labels.iter().filter(|(_, label)| *label == asked);
    let found: Vec<_> = called
        .map(|(id, _)| Actor::Operator(*id).to_string())
        .collect();
    // A statement has room for so many.
    if found.is_empty() || found.len() > 100 {
        return Err(Error::not_found(What::Token, asked));
    }
    Ok(found)
}

fn with_its_device(
    tx: &mut Tx<'_>,
    certificate: CertificateRecord,
) -> Result<CertificateView, Error> {
    let device = tx.device(certificate.tenant, certificate.device)?;
    let group = match &device {
        Some(device) => tx.group(device.tenant, device.group)?,
        None => None,
    };
    let slot = tx
        .credential(certificate.tenant, certificate.device)?
        .filter(|credential| credential.slot(certificate.serial).is_some())
        .map(|credential| {
            if credential.current.serial == certificate.serial {
                Slot::Current
            } else {
                Slot::Previous
            }
        });
    Ok(CertificateView {
        device: device.map(|device| device.name),
        group: group.map(|group| group.name),
        certificate,
        slot,
    })
}

/// A full page may have another one after it.
pub(crate) fn next<T, Next>(items: &[T], limit: usize, key: impl Fn(&T) -> Next) -> Option<Next> {
    items.last().filter(|_| items.len() >= limit).map(key)
}

/// The group and device that a filter names; a token of one group sees no other.
fn about(
    tx: &mut Tx<'_>,
    who: &Operator,
    tenant: &Tenant,
    group: &Option<String>,
    device: &Option<String>,
) -> Result<(Option<GroupId>, Option<DeviceId>), Error> {
    let Some(group) = group else {
        return match device {
            None => Ok((who.group, None)),
            Some(_) => Err(Error::InvalidRequest(
                "a device is named within its group: give the group, too".to_owned(),
            )),
        };
    };
    let missing = || Error::not_found(What::Group, group);
    let name: Name = group.parse().map_err(|_| missing())?;
    let group = tx
        .group_by_name(tenant.id, &name)?
        .filter(|group| who.sees_group(group.id))
        .ok_or_else(missing)?;
    let Some(device) = device else {
        return Ok((Some(group.id), None));
    };
    let missing = || Error::no_device(&group, device);
    let name: Name = device.parse().map_err(|_| missing())?;
    let device = tx
        .device_by_name(tenant.id, group.id, &name)?
        .ok_or_else(missing)?;
    Ok((Some(group.id), Some(device.id)))
}
