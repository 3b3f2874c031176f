//! Receipts of wiped devices.

use enlist_core::{DeviceId, ReceiptRecord, Serial, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, device_id, serial, envelope, received_at, late FROM receipts ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds a receipt. False where one that the same key has signed is on record already.
    pub fn insert_receipt(&mut self, receipt: &ReceiptRecord) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO receipts (tenant_id, device_id, serial, envelope, received_at, late)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, device_id, serial) DO NOTHING",
            values![
                &receipt.tenant,
                &receipt.device,
                &receipt.serial,
                &receipt.envelope,
                receipt.received_at,
                receipt.late
            ],
        )?;
        Ok(added > 0)
    }

    /// The receipt of a device that the key of one certificate has signed.
    pub fn receipt(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        serial: Serial,
    ) -> Result<Option<ReceiptRecord>, StoreError> {
        self.query_one(
            "receipts",
            select!("WHERE tenant_id = $1 AND device_id = $2 AND serial = $3"),
            values![&tenant, &device, &serial],
            receipt,
        )
    }

    /// The receipts of a device, the newest first: ten at most.
    pub fn receipts_of(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Vec<ReceiptRecord>, StoreError> {
        self.query(
            "receipts",
            select!("WHERE tenant_id = $1 AND device_id = $2 ORDER BY received_at DESC LIMIT 10"),
            values![&tenant, &device],
            receipt,
        )
    }
}

fn receipt(columns: &mut Columns<'_>) -> Result<ReceiptRecord, StoreError> {
    Ok(ReceiptRecord {
        tenant: columns.next()?,
        device: columns.next()?,
        serial: columns.next()?,
        envelope: columns.next()?,
        received_at: columns.next()?,
        late: columns.next()?,
    })
}
