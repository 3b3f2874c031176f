//! What must be so in the end, whatever happened in between: what the devices hold is what is on record.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use enlist_wire::{ClientError, Device as OnRecord, DevicesQuery, Page};
use serde::Serialize;

use super::device::{Device, Site};
use super::stage::Stage;
use crate::say::say;

/// What was found when devices and record were compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Devices with a certificate.
    pub enrolled: u64,
    /// Devices of the group that are on the server's record.
    pub on_record: u64,
    /// Devices without a certificate, although they were to have one.
    pub without_certificate: u64,
    /// Devices that share their id or their certificate with another one.
    pub shared_identity: u64,
    /// Devices whose certificate is not the one on record.
    pub off_record: u64,
    /// Devices on record that are none of the simulated ones.
    pub unknown_to_device: u64,
    /// Devices that were in the middle of something when it ended, so that one side may know more.
    pub under_way: u64,
    /// The names of some that are not as they should be.
    pub examples: Vec<String>,
    /// Why the record could not be looked at; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
}

/// How many names are told.
const EXAMPLES: usize = 10;
/// How many devices are asked for at one time.
const PAGE: u32 = 500;
/// For how long a server that does not answer is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the devices hold, by their names.
#[derive(Default)]
struct Fleet {
    with_certificate: HashMap<String, Held>,
    /// Those that were to have one have been counted. On record they may be: the answer is asked for again
    /// when the device goes on.
    without: HashSet<String>,
}

/// What a device holds.
struct Held {
    device_id: [u8; 16],
    serial: String,
    under_way: bool,
    seen: bool,
}

impl Verdict {
    /// Whether all is as it must be.
    pub fn holds(&self) -> bool {
        let broken = self.without_certificate
            + self.shared_identity
            + self.off_record
            + self.unknown_to_device;
        broken == 0 && self.not_compared.is_none()
    }

    /// Whether all that is wrong is that devices have not come to a certificate.
    pub fn lacks_only_time(&self) -> bool {
        let without = Self {
            without_certificate: 0,
            ..self.clone()
        };
        !self.holds() && without.holds()
    }

    /// Compares what the devices hold with what is on record, and says why where it can't. Those that had no
    /// turn are excused where `cut_short`. A server that does not answer is not waited for after `stop`.
    pub fn reach(
        stage: &Stage,
        site: &Site,
        devices: &[Device],
        cut_short: bool,
        stop: &AtomicBool,
    ) -> (Self, Option<ClientError>) {
        let mut verdict = Self::default();
        let mut fleet = verdict.fleet(site, devices, cut_short);
        let mut query = DevicesQuery {
            limit: Some(PAGE),
            ..DevicesQuery::default()
        };
        loop {
            let page = match page(stage, &query, stop) {
                Ok(page) => page,
                Err(error) => {
                    verdict.not_compared = Some(enlist_core::explain(&error));
                    return (verdict, Some(error));
                }
            };
            for on_record in &page.items {
                verdict.on_record += 1;
                verdict.compare(on_record, &mut fleet);
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        for (name, held) in &fleet.with_certificate {
            if !held.seen && !held.serial.is_empty() {
                verdict.off_record += 1;
                verdict.example(name);
            }
        }
        (verdict, None)
    }

    fn fleet(&mut self, site: &Site, devices: &[Device], cut_short: bool) -> Fleet {
        let mut fleet = Fleet::default();
        let (mut ids, mut serials) = (HashMap::new(), HashMap::new());
        for device in devices {
            let name = site.name(device.index());
            let (identity, under_way) = device.identity();
            self.under_way += u64::from(under_way);
            let validity = identity.as_ref().and_then(|own| own.validity.clone());
            let Some((own, validity)) = identity.zip(validity) else {
                if !cut_short {
                    self.without_certificate += 1;
                    self.example(&name);
                }
                fleet.without.insert(name);
                continue;
            };
            self.enrolled += 1;
            let device_id = *own.device_id.as_bytes();
            let id_is_shared = ids.insert(device_id, ()).is_some();
            let serial_is_shared = serials.insert(validity.serial.clone(), ()).is_some();
            if id_is_shared || serial_is_shared {
                self.shared_identity += 1;
                self.example(&name);
            }
            let held = Held {
                device_id,
                serial: validity.serial,
                under_way,
                seen: false,
            };
            fleet.with_certificate.insert(name, held);
        }
        fleet
    }

    fn compare(&mut self, on_record: &OnRecord, fleet: &mut Fleet) {
        let Some(held) = fleet.with_certificate.get_mut(&on_record.name) else {
            if !fleet.without.contains(&on_record.name) {
                self.unknown_to_device += 1;
                self.example(&on_record.name);
            }
            return;
        };
        held.seen = true;
        let serial = on_record.certificate.as_ref().map(|one| &one.serial);
        let same_device = *on_record.device_id.as_bytes() == held.device_id;
        // A new certificate that the device has not heard of yet is on record before it is on the device.
        let same_serial = serial == Some(&held.serial) || (held.under_way && serial.is_some());
        if !same_device || !same_serial {
            self.off_record += 1;
            self.example(&on_record.name);
        }
    }

    fn example(&mut self, name: &str) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(name.to_owned());
        }
    }
}

/// A page of the group's devices. A server that is just being started again is waited for.
fn page(
    stage: &Stage,
    query: &DevicesQuery,
    stop: &AtomicBool,
) -> Result<Page<OnRecord>, ClientError> {
    let (begun, mut is_told) = (Instant::now(), false);
    loop {
        let (tenant, group) = (stage.tenant.as_str(), stage.group.as_str());
        match stage.client.devices(tenant, group, query) {
            Err(error)
                if may_pass(&error)
                    && begun.elapsed() < PATIENCE
                    && !stop.load(Ordering::Relaxed) =>
            {
                if !std::mem::replace(&mut is_told, true) {
                    let patience = PATIENCE.as_secs();
                    say!("The server does not answer; it is asked for up to {patience} s more.");
                }
                std::thread::sleep(Duration::from_millis(500));
            }
            outcome => return outcome,
        }
    }
}

fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Problem(problem) => matches!(problem.status, 429 | 500..),
        ClientError::Unreachable(_) | ClientError::Foreign { .. } => true,
        _ => false,
    }
}
