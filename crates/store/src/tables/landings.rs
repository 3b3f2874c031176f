//! Devices that are in another group than they asked at, or under another name.

use enlist_core::{DeviceId, GroupId, HardwareIdentity, Landing, Name, TenantId};

use super::text;
use crate::column::{Columns, only};
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Notes where a device asked, in place of what was noted before. False where another one has asked
    /// there by the same name: the transaction is to be undone then.
    pub fn put_landing(&mut self, landing: &Landing) -> Result<bool, StoreError> {
        self.execute(
            "DELETE FROM landings WHERE tenant_id = $1 AND device_id = $2",
            values![&landing.tenant, &landing.device],
        )?;
        let hardware = landing.hardware.as_ref().map(ToString::to_string);
        let put = self.execute(
            "INSERT INTO landings (tenant_id, device_id, entry_id, name, hardware)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            values![
                &landing.tenant,
                &landing.device,
                &landing.entry,
                landing.name.as_ref(),
                hardware.as_ref()
            ],
        )?;
        Ok(put > 0)
    }

    /// Where a device asked, if not where it is.
    pub fn landing(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Option<Landing>, StoreError> {
        self.query_one(
            "landings",
            "SELECT tenant_id, device_id, entry_id, name, hardware FROM landings
             WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &device],
            landing,
        )
    }

    /// The device that asked at a group by this name.
    pub fn landed_by_name(
        &mut self,
        tenant: TenantId,
        entry: GroupId,
        name: &Name,
    ) -> Result<Option<DeviceId>, StoreError> {
        self.query_one(
            "landings",
            "SELECT device_id FROM landings
             WHERE tenant_id = $1 AND entry_id = $2 AND name = $3",
            values![&tenant, &entry, name],
            only,
        )
    }

    /// The devices that asked at a group and claimed this hardware: ten at most.
    pub fn landed_by_hardware(
        &mut self,
        tenant: TenantId,
        entry: GroupId,
        hardware: &HardwareIdentity,
    ) -> Result<Vec<DeviceId>, StoreError> {
        self.see_claims()?;
        self.query(
            "landings",
            "SELECT device_id FROM landings
             WHERE tenant_id = $1 AND entry_id = $2 AND hardware = $3
             ORDER BY device_id LIMIT 10",
            values![&tenant, &entry, &hardware.to_string()],
            only,
        )
    }

    /// Puts a device into another group, under this name. False where the name is taken there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else takes it at this very moment.
    pub fn move_device(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        group: GroupId,
        name: &Name,
    ) -> Result<bool, StoreError> {
        let moved = self.execute(
            "UPDATE devices SET group_id = $1, name = $2
             WHERE tenant_id = $3 AND device_id = $4
               AND NOT EXISTS (SELECT 1 FROM devices AS other
                   WHERE other.tenant_id = $3 AND other.group_id = $1 AND other.name = $2
                     AND other.device_id <> $4)",
            values![&group, name, &tenant, &device],
        )?;
        Ok(moved > 0)
    }
}

fn landing(columns: &mut Columns<'_>) -> Result<Landing, StoreError> {
    Ok(Landing {
        tenant: columns.next()?,
        device: columns.next()?,
        entry: columns.next()?,
        name: columns
            .next::<Option<String>>()?
            .map(|name| name.parse())
            .transpose()
            .map_err(|_| columns.corrupt())?,
        hardware: columns.text_or_null(text::hardware)?,
    })
}
