//! Devices by the thousand.

use std::collections::HashSet;

use enlist_core::{DeviceId, GroupId, NewDevice, TenantId};

use super::pieces::{in_pieces, listed};
use super::text;
use crate::column::only;
use crate::value::{Value, values};
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds devices in the state created to one group, in as few statements as there can be.
    /// Says of each, in order, whether it was added; false where its name is taken, by an
    /// earlier one of the same call too. Tenant and group are those given, whatever the devices
    /// say.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the group is gone or an id is taken.
    pub fn insert_devices(
        &mut self,
        tenant: TenantId,
        group: GroupId,
        devices: &[NewDevice],
    ) -> Result<Vec<bool>, StoreError> {
        let mut added = Vec::with_capacity(devices.len());
        in_pieces(devices, insert_statement, |sql, rows| {
            self.insert_rows(sql, tenant, group, rows, &mut added)
        })?;
        Ok(added)
    }

    fn insert_rows(
        &mut self,
        sql: &str,
        tenant: TenantId,
        group: GroupId,
        rows: &[NewDevice],
        added: &mut Vec<bool>,
    ) -> Result<(), StoreError> {
        let texts: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    text::to_json(&row.labels, row.labels.is_empty()),
                    row.hardware.as_ref().map(ToString::to_string),
                )
            })
            .collect();
        let mut values = Vec::with_capacity(2 + rows.len() * 5);
        values.extend_from_slice(values![&tenant, &group]);
        for (row, (labels, hardware)) in rows.iter().zip(&texts) {
            values.extend_from_slice(values![
                &row.id,
                &row.name,
                labels.as_ref(),
                hardware.as_ref(),
                row.at
            ]);
        }
        let count = self.execute(sql, &values)?;
        if count == rows.len() as u64 {
            added.extend(rows.iter().map(|_| true));
            return Ok(());
        }
        // Ids are new, so a device was added if and only if its id is there.
        let there = self.which_exist(tenant, rows)?;
        added.extend(rows.iter().map(|row| there.contains(&row.id)));
        Ok(())
    }

    fn which_exist(
        &mut self,
        tenant: TenantId,
        rows: &[NewDevice],
    ) -> Result<HashSet<DeviceId>, StoreError> {
        let ids = listed(rows.len(), 1, |[id]| format!("${id}"));
        let sql =
            format!("SELECT device_id FROM devices WHERE tenant_id = $1 AND device_id IN ({ids})");
        let mut values = vec![Value::from(&tenant)];
        values.extend(rows.iter().map(|row| Value::from(&row.id)));
        let found = self.query("devices", &sql, &values, only)?;
        Ok(found.into_iter().collect())
    }
}

fn insert_statement(rows: usize) -> String {
    let rows = listed(rows, 2, |[id, name, labels, hardware, at]| {
        format!("($1, $2, ${id}, ${name}, ${labels}, ${hardware}, ${at}, ${at}, 'created', 0)")
    });
    format!(
        "INSERT INTO devices (tenant_id, group_id, device_id, name, labels, hardware,
             created_at, changed_at, state, enrolled) VALUES {rows}
         ON CONFLICT (tenant_id, group_id, name) DO NOTHING"
    )
}
