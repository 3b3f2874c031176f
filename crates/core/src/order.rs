//! Orders to devices, as the server keeps them.

use crate::{Actor, DeviceId, TenantId, Timestamp};

/// An order to one device, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    /// The tenant that the device belongs to.
    pub tenant: TenantId,
    /// The device.
    pub device: DeviceId,
    /// Its number among the orders to the device, from 1.
    pub number: u64,
    /// What the device is told to do: the text form of the order.
    pub order: String,
    /// The signed statement, as JSON.
    pub envelope: Vec<u8>,
    /// Who gave it.
    pub by: Actor,
    /// When.
    pub given_at: Timestamp,
    /// When the device was first handed it.
    pub fetched_at: Option<Timestamp>,
    /// What came of it; `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When the server learnt of it.
    pub at: Timestamp,
    /// Whether it was carried out.
    pub done: bool,
    /// Why not, or what is worth knowing.
    pub detail: Option<String>,
}
