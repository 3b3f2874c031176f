//! Statements of configuration.

use enlist_core::{
    Actor, ConfigurationEntry, ConfigurationStatement, ConfigurationTarget, DeviceId, GroupId,
    TenantId, Timestamp,
};

use crate::column::{Columns, only};
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// In the place of a device where there is none.
const NO_DEVICE: [u8; 16] = [0; 16];

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT kind, device_id, version, schema_version, changes, actor, stated_at, tenant_id,
                    group_id, envelope, body
             FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = $3 AND device_id = $4 ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a statement. False where its number is taken.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the group is gone.
    pub fn insert_configuration(
        &mut self,
        statement: &ConfigurationStatement,
    ) -> Result<bool, StoreError> {
        let entry = &statement.entry;
        let added = self.execute(
            "INSERT INTO configuration_statements (tenant_id, group_id, kind, device_id, version,
                 schema_version, envelope, body, changes, actor, stated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant_id, group_id, kind, device_id, version) DO NOTHING",
            values![
                &statement.tenant,
                &statement.group,
                entry.target.kind(),
                &device_of(entry.target),
                number(entry.version),
                i64::from(entry.schema_version),
                &statement.envelope,
                &statement.body,
                &entry.changes,
                &entry.actor.to_string(),
                entry.at
            ],
        )?;
        Ok(added > 0)
    }

    /// Holds a group's configuration until the commit: all that states something for it passes here, one
    /// after another. Before there is a schema there is nothing to hold, and nothing that it could be at
    /// odds with.
    pub fn hold_configuration(
        &mut self,
        tenant: TenantId,
        group: GroupId,
    ) -> Result<(), StoreError> {
        let _: Option<u64> = self.query_held(
            "configuration_statements",
            "SELECT version FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = 'schema'
             ORDER BY version DESC LIMIT 1",
            values![&tenant, &group],
            only,
        )?;
        Ok(())
    }

    /// One statement by its number.
    pub fn configuration(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
        version: u64,
    ) -> Result<Option<ConfigurationStatement>, StoreError> {
        self.query_one(
            "configuration_statements",
            select!("AND version = $5"),
            values![
                &tenant,
                &group,
                target.kind(),
                &device_of(target),
                number(version)
            ],
            statement,
        )
    }

    /// The newest statement of a schema version that is not above `schema_version`.
    pub fn configuration_up_to(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
        schema_version: u32,
    ) -> Result<Option<ConfigurationStatement>, StoreError> {
        self.query_one(
            "configuration_statements",
            select!("AND schema_version <= $5 ORDER BY version DESC LIMIT 1"),
            values![
                &tenant,
                &group,
                target.kind(),
                &device_of(target),
                i64::from(schema_version)
            ],
            statement,
        )
    }

    /// The statement with the highest schema version that is not above `schema_version`; of several, the
    /// newest.
    pub fn configuration_highest(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
        schema_version: u32,
    ) -> Result<Option<ConfigurationStatement>, StoreError> {
        self.query_one(
            "configuration_statements",
            select!("AND schema_version <= $5 ORDER BY schema_version DESC, version DESC LIMIT 1"),
            values![
                &tenant,
                &group,
                target.kind(),
                &device_of(target),
                i64::from(schema_version)
            ],
            statement,
        )
    }

    /// The newest statement without its content.
    pub fn configuration_newest(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
    ) -> Result<Option<ConfigurationEntry>, StoreError> {
        let page = self.configuration_page(tenant, group, target, None, 1)?;
        Ok(page.into_iter().next())
    }

    /// As [`Tx::configuration_up_to`], without its content.
    pub fn configuration_entry_up_to(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
        schema_version: u32,
    ) -> Result<Option<ConfigurationEntry>, StoreError> {
        self.query_one(
            "configuration_statements",
            "SELECT kind, device_id, version, schema_version, changes, actor, stated_at
             FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = $3 AND device_id = $4
               AND schema_version <= $5
             ORDER BY version DESC LIMIT 1",
            values![
                &tenant,
                &group,
                target.kind(),
                &device_of(target),
                i64::from(schema_version)
            ],
            entry,
        )
    }

    /// A page of the history, newest first, of those with numbers below `before`.
    pub fn configuration_page(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        target: ConfigurationTarget,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConfigurationEntry>, StoreError> {
        self.query(
            "configuration_statements",
            "SELECT kind, device_id, version, schema_version, changes, actor, stated_at
             FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = $3 AND device_id = $4
               AND version < $5
             ORDER BY version DESC LIMIT $6",
            values![
                &tenant,
                &group,
                target.kind(),
                &device_of(target),
                number(before.unwrap_or(u64::MAX)),
                number(limit as u64)
            ],
            entry,
        )
    }

    /// How many statements a group has. As none goes but with its device, another number says that
    /// something has changed.
    pub fn count_configurations(
        &mut self,
        tenant: TenantId,
        group: GroupId,
    ) -> Result<u64, StoreError> {
        let count = self.query_one(
            "configuration_statements",
            "SELECT count(*) FROM configuration_statements WHERE tenant_id = $1 AND group_id = $2",
            values![&tenant, &group],
            only,
        )?;
        Ok(count.unwrap_or(0))
    }

    /// The devices of a group with values of their own, in the order of their ids.
    pub fn configured_devices(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let after = after.map_or(NO_DEVICE, |id| *id.as_bytes());
        self.query(
            "configuration_statements",
            "SELECT DISTINCT device_id FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = 'device' AND device_id > $3
             ORDER BY device_id LIMIT $4",
            values![&tenant, &group, &after[..], number(limit as u64)],
            only,
        )
    }

    /// What was stated at `since` or later, in any tenant, newest first: for ringing those that wait.
    pub fn configurations_since(
        &mut self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(TenantId, GroupId, ConfigurationTarget)>, StoreError> {
        self.query(
            "configuration_statements",
            "SELECT tenant_id, group_id, kind, device_id FROM configuration_statements
             WHERE stated_at >= $1 ORDER BY stated_at DESC LIMIT $2",
            values![since, number(limit as u64)],
            |columns| Ok((columns.next()?, columns.next()?, target(columns)?)),
        )
    }

    /// Forgets the values that a device has of its own. Says how many statements there were.
    pub fn delete_configuration_of(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        device: DeviceId,
    ) -> Result<u64, StoreError> {
        self.execute(
            "DELETE FROM configuration_statements
             WHERE tenant_id = $1 AND group_id = $2 AND kind = 'device' AND device_id = $3",
            values![&tenant, &group, &device],
        )
    }
}

fn device_of(target: ConfigurationTarget) -> DeviceId {
    target
        .device()
        .unwrap_or_else(|| DeviceId::from_bytes(NO_DEVICE))
}

fn target(columns: &mut Columns<'_>) -> Result<ConfigurationTarget, StoreError> {
    let kind: String = columns.next()?;
    let device = columns.next()?;
    ConfigurationTarget::from_parts(&kind, device).ok_or_else(|| columns.corrupt())
}

fn entry(columns: &mut Columns<'_>) -> Result<ConfigurationEntry, StoreError> {
    Ok(ConfigurationEntry {
        target: target(columns)?,
        version: columns.next()?,
        schema_version: columns.next()?,
        changes: columns.next()?,
        actor: columns.text(Actor::parse)?,
        at: columns.next()?,
    })
}

fn statement(columns: &mut Columns<'_>) -> Result<ConfigurationStatement, StoreError> {
    let entry = entry(columns)?;
    Ok(ConfigurationStatement {
        entry,
        tenant: columns.next()?,
        group: columns.next()?,
        envelope: columns.next()?,
        body: columns.next()?,
    })
}
