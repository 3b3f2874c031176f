//! Receipts of wiped devices, as the server keeps them.

use crate::{DeviceId, Serial, TenantId, Timestamp};

/// What a device has signed of its own wipe, verified when it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// The tenant that the device belongs to.
    pub tenant: TenantId,
    /// The device.
    pub device: DeviceId,
    /// Serial number of the certificate whose key has signed it.
    pub serial: Serial,
    /// The signed statement, as JSON.
    pub envelope: Vec<u8>,
    /// When it came in.
    pub received_at: Timestamp,
    /// Whether nobody waited for it any more: the device had been given up, or its credentials
    /// withdrawn.
    pub late: bool,
}
