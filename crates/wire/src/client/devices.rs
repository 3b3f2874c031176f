use super::groups::group_path;
use super::{Client, ClientError, Path};
use crate::{Device, DeviceAction, DevicesQuery, NewDevice, Page, PreEnroll, Quadruple};

/// Devices.
impl Client {
    /// One page of a group's devices.
    pub fn devices(
        &self,
        tenant: &str,
        group: &str,
        query: &DevicesQuery,
    ) -> Result<Page<Device>, ClientError> {
        let state = query
            .state
            .and_then(|state| serde_json::to_value(state).ok());
        let path = group_path(tenant, group)
            .part("devices")
            .query("after", query.after.as_ref())
            .query("limit", query.limit)
            .query("state", state.as_ref().and_then(|state| state.as_str()));
        self.get(&path.0)
    }

    /// One device.
    pub fn device(&self, tenant: &str, group: &str, name: &str) -> Result<Device, ClientError> {
        self.get(&device_path(tenant, group, name).0)
    }

    /// Creates a device.
    pub fn create_device(
        &self,
        tenant: &str,
        group: &str,
        device: &NewDevice,
    ) -> Result<Device, ClientError> {
        self.post(&group_path(tenant, group).part("devices").0, device)
    }

    /// Deletes a device.
    pub fn delete_device(&self, tenant: &str, group: &str, name: &str) -> Result<(), ClientError> {
        self.delete(&device_path(tenant, group, name).0)
    }

    /// Makes an identity for a device ahead of its first start, creating it where it is not there.
    pub fn pre_enroll(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        request: &PreEnroll,
    ) -> Result<Quadruple, ClientError> {
        self.post(
            &device_path(tenant, group, name).part("pre-enroll").0,
            request,
        )
    }

    /// Suspends a device; its certificate goes on hold.
    pub fn suspend(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "suspend", action)
    }

    /// Ends a suspension.
    pub fn resume(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "resume", action)
    }

    /// Revokes a device's credentials and keeps its name.
    pub fn deprovision(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "deprovision", action)
    }

    /// Takes a device out of service.
    pub fn decommission(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "decommission", action)
    }

    /// Lets a device enroll again, once.
    pub fn allow_reenroll(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "allow-reenroll", action)
    }

    /// Says yes to a device that waits for approval.
    pub fn approve(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "approve", action)
    }

    /// Says no to a device that waits for approval.
    pub fn reject(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.act(tenant, group, name, "reject", action)
    }

    fn act(
        &self,
        tenant: &str,
        group: &str,
        name: &str,
        verb: &str,
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        self.post(&device_path(tenant, group, name).part(verb).0, action)
    }
}

pub(super) fn device_path(tenant: &str, group: &str, name: &str) -> Path {
    group_path(tenant, group).part("devices").part(name)
}
