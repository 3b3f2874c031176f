//! Devices, one at a time and in pages.

use enlist_core::{
    ApprovalCode, Device, DeviceId, GroupId, HardwareIdentity, Name, NewDevice, State, StateKind,
    TenantId, Timestamp,
};

use super::text;
use crate::column::{Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::{Value, number, values};
use crate::{StoreError, Tx};

/// Which devices are wanted, and how many at once.
#[derive(Debug, Clone, Default)]
pub struct DeviceFilter {
    /// Of this group only.
    pub group: Option<GroupId>,
    /// In this state only.
    pub state: Option<StateKind>,
    /// Those that come after this one, which need not exist.
    pub after: Option<DeviceId>,
    /// That many at most.
    pub limit: usize,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT device_id, tenant_id, group_id, name, labels, hardware, created_at, state,
                    pending_code, pending_until, enrolled, changed_at, attested
             FROM devices ",
            $rest
        )
    };
}

static INSERT: Put = Put {
    table: "devices",
    sql: "INSERT INTO devices (device_id, tenant_id, group_id, name, labels, hardware,
              created_at, state, pending_code, pending_until, enrolled, changed_at, attested)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
          ON CONFLICT DO NOTHING",
    expected: Expected::EachRow,
};

static OTHERS_BY_HARDWARE: Put = Put {
    table: "devices",
    sql: "SELECT device_id FROM devices
          WHERE tenant_id = $1 AND group_id = $2 AND hardware = $3 AND hardware IS NOT NULL
            AND device_id <> $4",
    expected: Expected::NoRow,
};

impl Tx<'_> {
    /// Adds a device. False where the name is taken in its group, or what it has proved to be in its
    /// tenant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the group is gone.
    pub fn insert_device(&mut self, device: &Device) -> Result<bool, StoreError> {
        let labels = text::to_json(&device.labels, device.labels.is_empty());
        let hardware = device.hardware.as_ref().map(ToString::to_string);
        let attested = device.attested.as_ref().map(ToString::to_string);
        let (code, until) = pending(device.state());
        self.put(
            &INSERT,
            values![
                &device.id,
                &device.tenant,
                &device.group,
                &device.name,
                labels.as_ref(),
                hardware.as_ref(),
                device.created_at,
                device.state().kind().as_str(),
                code,
                until,
                device.was_enrolled(),
                device.changed_at,
                attested.as_ref()
            ],
        )
    }

    /// Whether the oldest other device of its group that claims a hardware identity is `seen`; none where that
    /// is none. To be asked after the device was added.
    pub fn is_other_by_hardware(
        &mut self,
        device: &Device,
        hardware: &HardwareIdentity,
        seen: Option<DeviceId>,
    ) -> Result<bool, StoreError> {
        let hardware = hardware.to_string();
        let values = values![&device.tenant, &device.group, &hardware, &device.id];
        if seen.is_none() && self.hope_for_none(&OTHERS_BY_HARDWARE, values)? {
            return Ok(true);
        }
        self.see_claims()?;
        let sql = format!("{} ORDER BY device_id LIMIT 1", OTHERS_BY_HARDWARE.sql);
        let found = self.query_one("devices", &sql, values, only)?;
        Ok(found == seen)
    }

    /// A device by its id. A writing job holds it until the commit.
    pub fn device(&mut self, tenant: TenantId, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.query_held(
            "devices",
            select!("WHERE tenant_id = $1 AND device_id = $2"),
            values![&tenant, &id],
            device,
        )
    }

    /// A device by its name. A writing job holds it until the commit.
    pub fn device_by_name(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        name: &Name,
    ) -> Result<Option<Device>, StoreError> {
        self.query_held(
            "devices",
            select!("WHERE tenant_id = $1 AND group_id = $2 AND name = $3"),
            values![&tenant, &group, name],
            device,
        )
    }

    /// The tenant of a device that has nothing to show but its id: the one lookup here that is
    /// not within a tenant, because it is what tells the tenant.
    pub fn tenant_of_device(&mut self, id: DeviceId) -> Result<Option<TenantId>, StoreError> {
        self.query_one(
            "devices",
            "SELECT tenant_id FROM devices WHERE device_id = $1",
            values![&id],
            only,
        )
    }

    /// The devices of a group that claim a hardware identity, oldest first: ten at most.
    pub fn devices_by_hardware(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        hardware: &HardwareIdentity,
    ) -> Result<Vec<Device>, StoreError> {
        self.see_claims()?;
        self.query(
            "devices",
            select!(
                "WHERE tenant_id = $1 AND group_id = $2 AND hardware = $3
                   AND hardware IS NOT NULL
                 ORDER BY device_id LIMIT 10"
            ),
            values![&tenant, &group, &hardware.to_string()],
            device,
        )
    }

    /// The device that has proved to be this. A writing job holds it until the commit.
    pub fn device_by_attested(
        &mut self,
        tenant: TenantId,
        identity: &HardwareIdentity,
    ) -> Result<Option<Device>, StoreError> {
        self.query_held(
            "devices",
            select!("WHERE tenant_id = $1 AND attested = $2 AND attested IS NOT NULL"),
            values![&tenant, &identity.to_string()],
            device,
        )
    }

    /// A page of the devices of a tenant, in the order of their making.
    pub fn devices_page(
        &mut self,
        tenant: TenantId,
        filter: &DeviceFilter,
    ) -> Result<Vec<Device>, StoreError> {
        let after = filter.after.map_or([0; 16], |id| *id.as_bytes());
        let mut values = vec![Value::from(&tenant), Value::Bytes(&after)];
        let mut sql = match &filter.group {
            Some(group) => {
                values.push(group.into());
                select!("WHERE tenant_id = $1 AND device_id > $2 AND group_id = $3").to_owned()
            }
            // Hidden from SQLite's planner, which would rather sort a whole tenant than walk
            // along the primary key.
            None => {
                select!("WHERE coalesce(tenant_id, tenant_id) = $1 AND device_id > $2").to_owned()
            }
        };
        match &filter.state {
            // So that the index of the few that wait serves.
            Some(StateKind::Pending) => sql.push_str(" AND pending_until IS NOT NULL"),
            Some(state) => {
                values.push(state.as_str().into());
                sql.push_str(&format!(" AND state = ${}", values.len()));
            }
            None => {}
        }
        values.push(number(filter.limit as u64).into());
        sql.push_str(&format!(" ORDER BY device_id LIMIT ${}", values.len()));
        self.query("devices", &sql, &values, device)
    }

    /// Saves a device that was in the state `expected` when it was loaded. False where it is in
    /// another by now, or gone.
    pub fn save_device(
        &mut self,
        device: &Device,
        expected: StateKind,
    ) -> Result<bool, StoreError> {
        let labels = text::to_json(&device.labels, device.labels.is_empty());
        let hardware = device.hardware.as_ref().map(ToString::to_string);
        let attested = device.attested.as_ref().map(ToString::to_string);
        let (code, until) = pending(device.state());
        let saved = self.execute(
            "UPDATE devices SET labels = $1, hardware = $2, state = $3, pending_code = $4,
                 pending_until = $5, enrolled = $6, changed_at = $7, attested = $8
             WHERE tenant_id = $9 AND device_id = $10 AND state = $11",
            values![
                labels.as_ref(),
                hardware.as_ref(),
                device.state().kind().as_str(),
                code,
                until,
                device.was_enrolled(),
                device.changed_at,
                attested.as_ref(),
                &device.tenant,
                &device.id,
                expected.as_str()
            ],
        )?;
        Ok(saved > 0)
    }

    /// Deletes a device and where it asked, and nothing else of it. False where it is gone.
    pub fn delete_device(&mut self, tenant: TenantId, id: DeviceId) -> Result<bool, StoreError> {
        self.execute(
            "DELETE FROM landings WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &id],
        )?;
        let gone = self.execute(
            "DELETE FROM devices WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &id],
        )?;
        Ok(gone > 0)
    }

    /// Pending devices of any tenant whose time is up at `now`, the longest overdue first.
    pub fn lapsed_devices(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(TenantId, DeviceId)>, StoreError> {
        self.query(
            "devices",
            "SELECT tenant_id, device_id FROM devices
             WHERE pending_until IS NOT NULL AND pending_until <= $1
             ORDER BY pending_until LIMIT $2",
            values![now, number(limit as u64)],
            |columns| Ok((columns.next()?, columns.next()?)),
        )
    }
}

fn pending(state: &State) -> (Option<&str>, Option<Timestamp>) {
    match state {
        State::Pending { code, until } => (Some(code.as_str()), Some(*until)),
        _ => (None, None),
    }
}

fn device(columns: &mut Columns<'_>) -> Result<Device, StoreError> {
    let new = NewDevice {
        id: columns.next()?,
        tenant: columns.next()?,
        group: columns.next()?,
        name: columns.next()?,
        labels: columns.text_or_null(text::from_json)?.unwrap_or_default(),
        hardware: columns.text_or_null(text::hardware)?,
        attested: None,
        at: columns.next()?,
    };
    let kind = columns.text(StateKind::parse)?;
    let code: Option<String> = columns.next()?;
    let until: Option<Timestamp> = columns.next()?;
    let state = match (kind, code, until) {
        (StateKind::Pending, Some(code), Some(until)) => State::Pending {
            code: ApprovalCode::from_stored(code),
            until,
        },
        (StateKind::Pending, ..) => return Err(columns.corrupt()),
        (StateKind::Created, ..) => State::Created,
        (StateKind::Active, ..) => State::Active,
        (StateKind::Suspended, ..) => State::Suspended,
        (StateKind::Decommissioning, ..) => State::Decommissioning,
        (StateKind::Decommissioned, ..) => State::Decommissioned,
    };
    let (enrolled, changed_at) = (columns.next()?, columns.next()?);
    let mut device = Device::restore(new, state, enrolled, changed_at);
    device.attested = columns.text_or_null(text::hardware)?;
    Ok(device)
}
