use super::devices::device_path;
use super::{Client, ClientError};
use crate::{DeviceOrder, DeviceReceipt, Envelope, NewOrder, OrdersQuery, Page};

/// Orders to devices, and their receipts.
impl Client {
    /// Gives a device an order.
    pub fn order(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        order: &NewOrder,
    ) -> Result<DeviceOrder, ClientError> {
        self.post(&device_path(tenant, group, name).part("orders").0, order)
    }

    /// An order that destroys, signed by the server, to be completed with the group's own signature.
    pub fn draft_order(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        order: &NewOrder,
    ) -> Result<Envelope, ClientError> {
        let path = device_path(tenant, group, name).part("orders");
        self.post(&path.part("draft").0, order)
    }

    /// One page of the orders to a device.
    pub fn orders(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        query: &OrdersQuery,
    ) -> Result<Page<DeviceOrder>, ClientError> {
        let path = device_path(tenant, group, name)
            .part("orders")
            .query("after", query.after.as_ref())
            .query("limit", query.limit);
        self.get(&path.0)
    }

    /// The receipts of a device, the newest first.
    pub fn receipts(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
    ) -> Result<Page<DeviceReceipt>, ClientError> {
        self.get(&device_path(tenant, group, name).part("receipts").0)
    }
}
