//! What devices say of themselves: one row a device.

use enlist_core::{ConfigurationNumbers, DeviceId, DeviceReport, Digest, TenantId};

use super::text;
use crate::column::Columns;
use crate::put_off::{Expected, Put};
use crate::value::{number, values};
use crate::{StoreError, Tx};

static SAVE: Put = Put {
    table: "device_reports",
    sql: "INSERT INTO device_reports (tenant_id, device_id, seen_at, agent, roots,
              holds_schema, holds_group, holds_device, offered_schema, offered_group,
              offered_device, configuration, last_command, changed_hardware)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
          ON CONFLICT (tenant_id, device_id) DO UPDATE SET
              seen_at = excluded.seen_at, agent = excluded.agent, roots = excluded.roots,
              holds_schema = excluded.holds_schema, holds_group = excluded.holds_group,
              holds_device = excluded.holds_device,
              offered_schema = excluded.offered_schema,
              offered_group = excluded.offered_group,
              offered_device = excluded.offered_device,
              configuration = excluded.configuration,
              last_command = excluded.last_command,
              changed_hardware = excluded.changed_hardware",
    expected: Expected::EachRow,
};

impl Tx<'_> {
    /// Writes down what a device says of itself, in place of what it said before.
    pub fn save_device_report(&mut self, report: &DeviceReport) -> Result<(), StoreError> {
        let roots: Vec<u8> = report
            .roots
            .iter()
            .flat_map(|root| *root.as_bytes())
            .collect();
        let configuration = report
            .configuration
            .as_ref()
            .and_then(|one| text::to_json(one, false));
        let hardware = report.changed_hardware.as_ref().map(ToString::to_string);
        self.put(
            &SAVE,
            values![
                &report.tenant,
                &report.device,
                report.seen_at,
                report.agent.as_ref(),
                &roots,
                number(report.holds.schema),
                number(report.holds.group),
                number(report.holds.device),
                number(report.offered.schema),
                number(report.offered.group),
                number(report.offered.device),
                configuration.as_ref(),
                number(report.last_command),
                hardware.as_ref()
            ],
        )?;
        Ok(())
    }

    /// What a device last said of itself.
    pub fn device_report(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Option<DeviceReport>, StoreError> {
        self.query_one(
            "device_reports",
            "SELECT tenant_id, device_id, seen_at, agent, roots, holds_schema, holds_group,
                    holds_device, offered_schema, offered_group, offered_device, configuration,
                    last_command, changed_hardware
             FROM device_reports WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &device],
            report,
        )
    }

    /// Forgets what a device said of itself.
    pub fn delete_device_report(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM device_reports WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &device],
        )?;
        Ok(())
    }
}

fn report(columns: &mut Columns<'_>) -> Result<DeviceReport, StoreError> {
    Ok(DeviceReport {
        tenant: columns.next()?,
        device: columns.next()?,
        seen_at: columns.next()?,
        agent: columns.next()?,
        roots: roots(columns)?,
        holds: numbers(columns)?,
        offered: numbers(columns)?,
        configuration: columns.text_or_null(text::from_json)?,
        last_command: columns.next()?,
        changed_hardware: columns.text_or_null(text::hardware)?,
    })
}

fn roots(columns: &mut Columns<'_>) -> Result<Vec<Digest>, StoreError> {
    let bytes: Vec<u8> = columns.next()?;
    let (roots, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        return Ok(roots.iter().copied().map(Digest::from_bytes).collect());
    }
    Err(columns.corrupt())
}

fn numbers(columns: &mut Columns<'_>) -> Result<ConfigurationNumbers, StoreError> {
    Ok(ConfigurationNumbers {
        schema: columns.next()?,
        group: columns.next()?,
        device: columns.next()?,
    })
}
