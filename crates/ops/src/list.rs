//! Pages of what is on record.

use std::collections::HashMap;

use enlist_core::{
    Actor, ApiTokenId, CertificateRecord, DeviceId, EVENT_KINDS, EventId, EventRecord, Group, Name,
    Operator, Role, Serial, StateKind, Tenant, Timestamp, is_event_kind,
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
    /// The event, word for word.
    pub event: EventRecord,
    /// Whether it reads as an event does; if not, somebody has changed it in the database.
    pub is_readable: bool,
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
    /// Of the devices of that group that are or were called so; `None` for all.
    pub device: Option<String>,
    /// Of which kind, one of [`EVENT_KINDS`]; `None` for all.
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
                let about = about(tx, &who, &tenant, &filter.group, &filter.device)?;
                let device = match &about {
                    Some((group, Some(device))) => Some(scope::device_in(tx, group, device)?.id),
                    _ => None,
                };
                let group = about.map(|(group, _)| group.id).or(who.group);
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
    /// the token by which it was done. One that somebody has made unreadable is among them. Those of a device
    /// by name are those of all that ever had the name in that group, deleted and rejected ones too.
    ///
    /// # Errors
    /// When tenant or group are not there, there never was such a device, or there are no events of that kind.
    pub async fn events(
        &self,
        who: &Operator,
        tenant: String,
        filter: EventFilter,
    ) -> Result<Listed<EventView, EventId>, Error> {
        let who = who.clone();
        if let Some(kind) = &filter.kind {
            is_there("kind", kind)?;
        }
        self.inner
            .store
            .read("events", move |tx| {
                let (tenant, _) = scope::part(tx, &who, Role::Viewer, &tenant)?;
                let about = about(tx, &who, &tenant, &filter.group, &filter.device)?;
                let devices = match &about {
                    Some((group, Some(device))) => Some(ever_in(tx, group, device)?),
                    _ => None,
                };
                let group = about.map(|(group, _)| group.id).or(who.group);
                let labels = labels(tx, &tenant)?;
                let actors = match &filter.actor {
                    Some(actor) => Some(actors(actor, &labels)?),
                    None => None,
                };
                let events = tx.events_page(
                    tenant.id,
                    &enlist_store::EventFilter {
                        group,
                        devices,
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
                        let (event, is_readable) = match event {
                            Ok(event) => (EventRecord::new(id, &event), true),
                            Err(as_it_is) => (as_it_is, false),
                        };
                        let group = event.group_id.and_then(|id| names.get(&id).cloned());
                        let by = match Actor::parse(&event.actor) {
                            Some(Actor::Operator(token)) => labels.get(&token).cloned(),
                            _ => None,
                        };
                        EventView {
                            event,
                            is_readable,
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

/// Whether there are events of a kind that somebody asks for in `field`.
pub(crate) fn is_there(field: &str, kind: &str) -> Result<(), Error> {
    if is_event_kind(kind) {
        return Ok(());
    }
    let unknown: String = kind.chars().take(80).collect();
    Err(Error::InvalidRequest(format!(
        "{field}: there are no events of the kind `{}`; there are {}",
        unknown.escape_debug(),
        EVENT_KINDS.join(", ")
    )))
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

/// The group that a filter names, and what it says of a device there. A token of one group sees no other.
fn about<'a>(
    tx: &mut Tx<'_>,
    who: &Operator,
    tenant: &Tenant,
    group: &Option<String>,
    device: &'a Option<String>,
) -> Result<Option<(Group, Option<&'a str>)>, Error> {
    match group {
        Some(group) => {
            let group = scope::group_in(tx, who, tenant.id, group)?;
            Ok(Some((group, device.as_deref())))
        }
        None if device.is_some() => Err(Error::InvalidRequest(
            "a device is named within its group: give the group, too".to_owned(),
        )),
        None => Ok(None),
    }
}

/// The devices of the group that have this name or had it once.
fn ever_in(tx: &mut Tx<'_>, group: &Group, device: &str) -> Result<Vec<DeviceId>, Error> {
    let missing = || Error::no_device(group, device);
    let name: Name = device.parse().map_err(|_| missing())?;
    let devices = tx.devices_ever_called(group.tenant, group.id, &name)?;
    if devices.is_empty() {
        return Err(missing());
    }
    Ok(devices)
}
