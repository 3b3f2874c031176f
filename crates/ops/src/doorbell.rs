//! Rings for devices that hold a connection open until there is something for them.
//!
//! Nothing of it is kept in the store: a device whose server has gone asks again, and polls in time
//! whether it was rung for or not.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use enlist_core::{ConfigurationTarget, DeviceId, GroupId, TenantId};
use tokio::sync::oneshot;

use crate::Error;

/// Devices that wait at most, at one server.
const MOST: usize = 20_000;
/// Groups that are remembered at most; forgetting one costs its devices a poll for nothing.
const MOST_GROUPS: usize = 10_000;

/// Those who wait at this server.
#[derive(Default)]
pub(crate) struct Doorbell {
    waiting: Mutex<Waiting>,
    /// How many configuration statements the groups had that were rung for.
    rung: Mutex<HashMap<(TenantId, GroupId), u64>>,
}

#[derive(Default)]
struct Waiting {
    devices: HashMap<DeviceId, Waiter>,
    tickets: u64,
    closed: bool,
}

struct Waiter {
    ticket: u64,
    of: (TenantId, GroupId),
    ring: oneshot::Sender<()>,
}

/// A place at the door. Dropping it gives the place up.
pub(crate) struct Place<'a> {
    bell: &'a Doorbell,
    device: DeviceId,
    ticket: u64,
    rung: oneshot::Receiver<()>,
}

impl Doorbell {
    /// Waits for a device of a group. One that waited for the same device before is sent away. `None`
    /// when nobody waits any more, as the server is about to stop.
    ///
    /// # Errors
    /// When too many wait.
    pub(crate) fn wait(
        &self,
        of: (TenantId, GroupId),
        device: DeviceId,
    ) -> Result<Option<Place<'_>>, Error> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Ok(None);
        }
        if waiting.devices.len() >= MOST && !waiting.devices.contains_key(&device) {
            return Err(Error::Busy { retry_after_s: 60 });
        }
        let (ring, rung) = oneshot::channel();
        waiting.tickets += 1;
        let ticket = waiting.tickets;
        waiting.devices.insert(device, Waiter { ticket, of, ring });
        Ok(Some(Place {
            bell: self,
            device,
            ticket,
            rung,
        }))
    }

    /// Rings for one device.
    pub(crate) fn ring(&self, device: DeviceId) {
        if let Some(waiter) = self.waiting().devices.remove(&device) {
            // One who has just left needs no ring.
            let _ = waiter.ring.send(());
        }
    }

    /// Rings for all devices of a group.
    pub(crate) fn ring_group(&self, tenant: TenantId, group: GroupId) {
        let mut waiting = self.waiting();
        let theirs = |_: &DeviceId, waiter: &mut Waiter| waiter.of == (tenant, group);
        for (_, waiter) in waiting.devices.extract_if(theirs) {
            let _ = waiter.ring.send(());
        }
    }

    /// Rings for those whom statements are about: for a whole group only where one is about the whole.
    pub(crate) fn ring_about(
        &self,
        tenant: TenantId,
        group: GroupId,
        targets: &[ConfigurationTarget],
    ) {
        let devices: Option<Vec<_>> = targets.iter().map(ConfigurationTarget::device).collect();
        match devices {
            Some(devices) => devices.into_iter().for_each(|device| self.ring(device)),
            None => self.ring_group(tenant, group),
        }
    }

    /// Whether a group has another number of configuration statements than when this was last asked.
    pub(crate) fn is_new(&self, tenant: TenantId, group: GroupId, count: u64) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if rung.len() >= MOST_GROUPS {
            rung.clear();
        }
        rung.insert((tenant, group), count) != Some(count)
    }

    /// Whether nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting().devices.is_empty()
    }

    /// Sends all away who wait, and lets nobody wait any more.
    pub(crate) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.devices.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Waits; true when it was rung for, false when sent away.
    pub(crate) async fn rung(&mut self) -> bool {
        (&mut self.rung).await.is_ok()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.bell.waiting();
        if waiting
            .devices
            .get(&self.device)
            .is_some_and(|waiter| waiter.ticket == self.ticket)
        {
            waiting.devices.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tenant: u8) -> (TenantId, GroupId) {
        (
            TenantId::from_bytes([tenant; 16]),
            GroupId::from_bytes([9; 16]),
        )
    }

    fn device(number: u8) -> DeviceId {
        DeviceId::from_bytes([number; 16])
    }

    #[tokio::test]
    async fn a_ring_is_heard_by_those_it_is_for() {
        let bell = Doorbell::default();
        let mut one = bell.wait(of(1), device(1)).unwrap().unwrap();
        let mut two = bell.wait(of(1), device(2)).unwrap().unwrap();
        let mut three = bell.wait(of(2), device(3)).unwrap().unwrap();
        bell.ring(device(1));
        assert!(one.rung().await);
        let (tenant, group) = of(1);
        bell.ring_group(tenant, group);
        assert!(two.rung().await);
        bell.close();
        assert!(!three.rung().await, "sent away, not rung for");
        assert!(bell.wait(of(1), device(1)).unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_stated_for_one_device_wakes_no_other() {
        use ConfigurationTarget::{Device, Group};
        let bell = Doorbell::default();
        let mut one = bell.wait(of(1), device(1)).unwrap().unwrap();
        let mut two = bell.wait(of(1), device(2)).unwrap().unwrap();
        let (tenant, group) = of(1);
        bell.ring_about(tenant, group, &[Device(device(1))]);
        assert!(one.rung().await);
        assert!(!bell.is_idle(), "the other one waits on");
        bell.ring_about(tenant, group, &[Device(device(1)), Group]);
        assert!(two.rung().await);
    }

    #[tokio::test]
    async fn a_device_has_one_place_and_leaves_none_behind() {
        let bell = Doorbell::default();
        let mut early = bell.wait(of(1), device(1)).unwrap().unwrap();
        let mut late = bell.wait(of(1), device(1)).unwrap().unwrap();
        assert!(!early.rung().await);
        drop(early);
        bell.ring(device(1));
        assert!(late.rung().await);
        let place = bell.wait(of(1), device(1)).unwrap();
        assert!(!bell.is_idle());
        drop(place);
        assert!(bell.is_idle());
    }

    #[test]
    fn the_places_are_bounded() {
        let bell = Doorbell::default();
        let id = |number: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            DeviceId::from_bytes(bytes)
        };
        let places: Vec<_> = (0..MOST)
            .map(|n| bell.wait(of(1), id(n)).unwrap())
            .collect();
        assert!(matches!(
            bell.wait(of(1), id(MOST)),
            Err(Error::Busy { .. })
        ));
        assert!(bell.wait(of(1), id(0)).is_ok(), "one who waits already");
        drop(places);
    }
}
