//! A device with all that there is to know of it: what is wanted of it, and what it says.

use enlist_core::{CommandRecord, DeviceReport, Operator, ReceiptRecord, Role};

use crate::configuration::desired;
use crate::{DesiredConfiguration, DevicePath, DeviceView, Error, Ops, devices, scope};

/// Orders that are shown with a device.
const MOST_ORDERS: usize = 64;

/// A device with all that there is to know of it.
#[derive(Debug, Clone)]
pub struct DeviceInFull {
    /// The device, and its certificate.
    pub view: DeviceView,
    /// The configuration that should be in force; `None` where its group has none.
    pub desired: Option<DesiredConfiguration>,
    /// What it last said of itself.
    pub report: Option<DeviceReport>,
    /// Orders that it has not done with.
    pub orders: Vec<CommandRecord>,
    /// Its newest receipt.
    pub receipt: Option<ReceiptRecord>,
}

impl Ops {
    /// One device.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn device(&self, who: &Operator, path: DevicePath) -> Result<DeviceInFull, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("device", move |tx| {
                let (tenant, group, device) = scope::device(tx, &who, Role::Viewer, &path)?;
                let (t, id) = (tenant.id, device.id);
                Ok(DeviceInFull {
                    desired: desired(tx, t, group.id, id)?,
                    report: tx.device_report(t, id)?,
                    orders: tx.open_commands(t, id, 0, MOST_ORDERS)?,
                    receipt: tx.receipts_of(t, id)?.into_iter().next(),
                    view: devices::view(tx, &tenant, &group, device)?,
                })
            })
            .await
    }
}
