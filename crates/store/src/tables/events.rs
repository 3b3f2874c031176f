//! Events.

use std::borrow::Cow;

use enlist_core::{
    Actor, DeviceId, Event, EventId, EventRecord, GroupId, Name, Subject, TenantId, Timestamp,
};

use super::text;
use crate::column::{Column, Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::{Value, number, values};
use crate::{StoreError, Tx};

/// Which events are wanted, and how many at once.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of this group only.
    pub group: Option<GroupId>,
    /// Of these devices only; `None` for all, and what is about none.
    pub devices: Option<Vec<DeviceId>>,
    /// Of this kind only.
    pub kind: Option<String>,
    /// By one of these only, in text form; `None` for everybody.
    pub actors: Option<Vec<String>>,
    /// Those since then only.
    pub since: Option<Timestamp>,
    /// Those that come after this one, which need not exist.
    pub after: Option<EventId>,
    /// That many at most.
    pub limit: usize,
}

/// Devices that are found by one name, now and before.
const MOST_GONE: usize = 1_000;

/// An event under its id; word for word where it does not read.
type EventRow = (EventId, Result<Event, EventRecord>);

static INSERT: Put = Put {
    table: "events",
    sql: "INSERT INTO events (tenant_id, event_id, happened_at, actor, kind, group_id,
              device_id, name, detail)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    expected: Expected::EachRow,
};

impl Tx<'_> {
    /// Records an event, after all that this writer recorded before.
    pub fn append(&mut self, event: &Event) -> Result<EventId, StoreError> {
        let id = self.next_event_id(event.at);
        let subject = &event.subject;
        self.put(
            &INSERT,
            values![
                &subject.tenant,
                &id,
                event.at,
                &event.actor.to_string(),
                &*event.kind,
                subject.group.as_ref(),
                subject.device.as_ref(),
                &subject.name,
                text::to_json(&event.detail, event.detail.is_empty()).as_ref()
            ],
        )?;
        Ok(id)
    }

    /// The devices of a group that are called so, or were until they were deleted or rejected, oldest first;
    /// the last thousand of them.
    pub fn devices_ever_called(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        name: &Name,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let mut devices = self.query(
            "events",
            "SELECT device_id FROM events WHERE tenant_id = $1 AND group_id = $2 AND name = $3
                 AND kind IN ('device-deleted', 'device-rejected') AND length(device_id) = 16",
            values![&tenant, &group, name],
            only,
        )?;
        let now = self.device_by_name(tenant, group, name)?;
        devices.extend(now.map(|device| device.id));
        devices.sort_unstable();
        devices.dedup();
        // Sorted here: told to, SQLite would walk through all the tenant's devices.
        Ok(devices.split_off(devices.len().saturating_sub(MOST_GONE)))
    }

    /// A page of the events of a tenant, oldest first. One that does not read, as somebody has changed it, comes
    /// word for word.
    pub fn events_page(
        &mut self,
        tenant: TenantId,
        filter: &EventFilter,
    ) -> Result<Vec<EventRow>, StoreError> {
        let Some(devices) = &filter.devices else {
            return self.some_events(tenant, None, filter);
        };
        // One by one: given several at once, SQLite walks through all the tenant's events instead.
        let mut page = Vec::new();
        for device in devices {
            page.extend(self.some_events(tenant, Some(device), filter)?);
            page.sort_by_key(|(id, _)| *id);
            page.truncate(filter.limit);
        }
        Ok(page)
    }

    fn some_events(
        &mut self,
        tenant: TenantId,
        device: Option<&DeviceId>,
        filter: &EventFilter,
    ) -> Result<Vec<EventRow>, StoreError> {
        let after = filter.after.map_or([0; 16], |id| *id.as_bytes());
        let mut sql = String::from(
            "SELECT event_id, happened_at, actor, kind, tenant_id, group_id, device_id, name,
                    detail
             FROM events WHERE tenant_id = $1 AND event_id > $2 AND length(event_id) = 16",
        );
        let mut values = vec![Value::from(&tenant), Value::Bytes(&after)];
        if let Some(device) = device {
            values.push(device.into());
            sql.push_str(&format!(" AND device_id = ${}", values.len()));
        }
        if let Some(group) = &filter.group {
            values.push(group.into());
            sql.push_str(&format!(" AND group_id = ${}", values.len()));
        }
        if let Some(kind) = &filter.kind {
            values.push(kind.into());
            sql.push_str(&format!(" AND kind = ${}", values.len()));
        }
        if let Some(actors) = &filter.actors {
            let mut places = Vec::new();
            for actor in actors {
                values.push(actor.into());
                places.push(format!("${}", values.len()));
            }
            sql.push_str(&format!(" AND actor IN ({})", places.join(", ")));
        }
        if let Some(since) = filter.since {
            values.push(since.into());
            sql.push_str(&format!(" AND happened_at >= ${}", values.len()));
        }
        values.push(number(filter.limit as u64).into());
        sql.push_str(&format!(" ORDER BY event_id LIMIT ${}", values.len()));
        self.query("events", &sql, &values, |columns| {
            let mut as_it_is = columns.clone();
            Ok(match event(columns) {
                Ok((id, event)) => (id, Ok(event)),
                Err(_) => {
                    let record = record(&mut as_it_is);
                    (record.event_id, Err(record))
                }
            })
        })
    }
}

pub(super) fn event(columns: &mut Columns<'_>) -> Result<(EventId, Event), StoreError> {
    let id = columns.next()?;
    let event = Event {
        at: columns.next()?,
        actor: columns.text(Actor::parse)?,
        kind: Cow::Owned(columns.next()?),
        subject: Subject {
            tenant: columns.next()?,
            group: columns.next()?,
            device: columns.next()?,
            name: columns.next()?,
        },
        detail: columns.text_or_null(text::from_json)?.unwrap_or_default(),
    };
    Ok((id, event))
}

/// The same columns, word for word: what makes no sense is read, too, as [`Columns::next_or_raw`] has it.
/// What can't stand in its place then stands behind the detail. So what was tampered with is never
/// the same as what was sealed, and stops nothing.
pub(super) fn record(columns: &mut Columns<'_>) -> EventRecord {
    let mut odd = Vec::new();
    let mut record = EventRecord {
        event_id: or(columns, &mut odd, EventId::from_bytes([0; 16])),
        at: or(columns, &mut odd, Timestamp::from_millis(0)),
        actor: columns.next_or_raw().unwrap_or_else(|raw| raw),
        kind: columns.next_or_raw().unwrap_or_else(|raw| raw),
        tenant_id: or(columns, &mut odd, TenantId::from_bytes([0; 16])),
        group_id: or(columns, &mut odd, None),
        device_id: or(columns, &mut odd, None),
        name: columns.next_or_raw().unwrap_or_else(|raw| raw),
        detail: match columns.next_or_raw::<Option<String>>() {
            Ok(None) => Vec::new(),
            Ok(Some(json)) => {
                text::from_json(&json).unwrap_or_else(|| vec![(UNREADABLE.to_owned(), json)])
            }
            Err(raw) => vec![(UNREADABLE.to_owned(), raw)],
        },
    };
    let odd = odd.into_iter().map(|raw| (UNREADABLE.to_owned(), raw));
    record.detail.extend(odd);
    record
}

/// The key of what does not read, among the details.
const UNREADABLE: &str = "unreadable";

fn or<T: Column>(columns: &mut Columns<'_>, odd: &mut Vec<String>, other: T) -> T {
    columns.next_or_raw().unwrap_or_else(|raw| {
        odd.push(raw);
        other
    })
}
