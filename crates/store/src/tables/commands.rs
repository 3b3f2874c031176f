//! Orders to devices.

use enlist_core::{Actor, CommandRecord, DeviceId, Outcome, TenantId, Timestamp};

use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, device_id, number, order_kind, envelope, given_by, given_at,
                    fetched_at, closed_at, done, detail
             FROM commands ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds an order. False where the device has one of that number already.
    pub fn insert_command(&mut self, command: &CommandRecord) -> Result<bool, StoreError> {
        let outcome = command.outcome.as_ref();
        let added = self.execute(
            "INSERT INTO commands (tenant_id, device_id, number, order_kind, envelope, given_by,
                 given_at, fetched_at, closed_at, done, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant_id, device_id, number) DO NOTHING",
            values![
                &command.tenant,
                &command.device,
                number(command.number),
                &command.order,
                &command.envelope,
                &command.by.to_string(),
                command.given_at,
                command.fetched_at,
                outcome.map(|one| one.at),
                outcome.map(|one| one.done),
                outcome.and_then(|one| one.detail.as_ref())
            ],
        )?;
        Ok(added > 0)
    }

    /// The highest number that an order to a device has; 0 for none.
    pub fn last_command(&mut self, tenant: TenantId, device: DeviceId) -> Result<u64, StoreError> {
        let last = self.query_one(
            "commands",
            "SELECT number FROM commands WHERE tenant_id = $1 AND device_id = $2
             ORDER BY number DESC LIMIT 1",
            values![&tenant, &device],
            only,
        )?;
        Ok(last.unwrap_or(0))
    }

    /// Orders to a device that are open and have numbers above `after`, in order.
    pub fn open_commands(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CommandRecord>, StoreError> {
        self.query(
            "commands",
            select!(
                "WHERE tenant_id = $1 AND device_id = $2 AND number > $3 AND closed_at IS NULL
                 ORDER BY number LIMIT $4"
            ),
            values![&tenant, &device, number(after), number(limit as u64)],
            command,
        )
    }

    /// Orders to a device with numbers above `after`, in order, whatever came of them.
    pub fn commands_page(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<CommandRecord>, StoreError> {
        self.query(
            "commands",
            select!(
                "WHERE tenant_id = $1 AND device_id = $2 AND number > $3
                 ORDER BY number LIMIT $4"
            ),
            values![&tenant, &device, number(after), number(limit as u64)],
            command,
        )
    }

    /// One order to a device.
    pub fn command(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        wanted: u64,
    ) -> Result<Option<CommandRecord>, StoreError> {
        self.query_one(
            "commands",
            select!("WHERE tenant_id = $1 AND device_id = $2 AND number = $3"),
            values![&tenant, &device, number(wanted)],
            command,
        )
    }

    /// Whether there is an order that the device was not handed yet.
    pub fn has_unfetched_command(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let found: Option<u64> = self.query_one(
            "commands",
            "SELECT number FROM commands
             WHERE tenant_id = $1 AND device_id = $2 AND closed_at IS NULL
               AND fetched_at IS NULL
             LIMIT 1",
            values![&tenant, &device],
            only,
        )?;
        Ok(found.is_some())
    }

    /// Notes that the device was handed its open orders up to the number `last`.
    pub fn fetched_commands(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        last: u64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "UPDATE commands SET fetched_at = $1
             WHERE tenant_id = $2 AND device_id = $3 AND number <= $4 AND fetched_at IS NULL",
            values![at, &tenant, &device, number(last)],
        )?;
        Ok(())
    }

    /// Notes what came of an order. False where that is on record already, or there is no such order.
    pub fn close_command(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        wanted: u64,
        outcome: &Outcome,
    ) -> Result<bool, StoreError> {
        let closed = self.execute(
            "UPDATE commands SET closed_at = $1, done = $2, detail = $3
             WHERE tenant_id = $4 AND device_id = $5 AND number = $6 AND closed_at IS NULL",
            values![
                outcome.at,
                outcome.done,
                outcome.detail.as_ref(),
                &tenant,
                &device,
                number(wanted)
            ],
        )?;
        Ok(closed > 0)
    }

    /// Notes the same of all orders to a device that are open. Says how many there were.
    pub fn close_commands(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        outcome: &Outcome,
    ) -> Result<u64, StoreError> {
        self.execute(
            "UPDATE commands SET closed_at = $1, done = $2, detail = $3
             WHERE tenant_id = $4 AND device_id = $5 AND closed_at IS NULL",
            values![
                outcome.at,
                outcome.done,
                outcome.detail.as_ref(),
                &tenant,
                &device
            ],
        )
    }

    /// Devices of any tenant with open orders given since `since` that they were not handed yet.
    pub fn devices_with_orders_since(
        &mut self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError> {
        self.query(
            "commands",
            "SELECT device_id FROM commands
             WHERE fetched_at IS NULL AND given_at >= $1 AND closed_at IS NULL
             ORDER BY given_at DESC LIMIT $2",
            values![since, number(limit as u64)],
            only,
        )
    }
}

fn command(columns: &mut Columns<'_>) -> Result<CommandRecord, StoreError> {
    Ok(CommandRecord {
        tenant: columns.next()?,
        device: columns.next()?,
        number: columns.next()?,
        order: columns.next()?,
        envelope: columns.next()?,
        by: columns.text(Actor::parse)?,
        given_at: columns.next()?,
        fetched_at: columns.next()?,
        outcome: match (columns.next()?, columns.next()?) {
            (Some(at), Some(done)) => Some(Outcome {
                at,
                done,
                detail: columns.next()?,
            }),
            (None, None) => None,
            _ => return Err(columns.corrupt()),
        },
    })
}
