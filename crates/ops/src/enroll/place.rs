//! Where a newcomer comes to be, and as what: by the hook of its group, by the group's allocation, or
//! just where it asked.

use enlist_core::{
    Allocation, Arrival, Device, DeviceId, Digest, Event, Group, Labels, Landing, Name, NewDevice,
    Tenant, TombstoneOf, explain,
};
use enlist_store::Tx;

use super::displacing::Displacing;
use super::examine::Admission;
use super::hook::Said;
use super::no_landing::NoLanding;
use super::own_name::own_name;
use super::{Asked, landed};
use crate::buried::refuse_buried;
use crate::configuration::Given;
use crate::devices::check_labels;
use crate::hooks::{HookAnswer, HookFailure};
use crate::{Error, Ops, What};

/// Where a newcomer comes to be, and as what.
pub(super) struct Place {
    /// The group that it asks at, whose policy and secret let it in.
    pub(super) entry: Group,
    /// The group that it comes to be in.
    pub(super) group: Group,
    /// The device as it comes to be.
    pub(super) device: NewDevice,
    /// Another device there that claims the same hardware.
    pub(super) double: Option<DeviceId>,
    /// Who gives way to it.
    pub(super) displacing: Displacing,
    /// What the event says of it.
    told: Vec<(&'static str, String)>,
    configuration: Option<Given>,
}

/// What is asked, and what is known of who asks.
pub(super) struct Arriving<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) entry: Group,
    /// The device as it was before, where it was.
    pub(super) before: Option<&'a Device>,
    /// Another device of the entry that claims the same hardware.
    pub(super) double: Option<DeviceId>,
    pub(super) displacing: Displacing,
}

impl<'a> Arriving<'a> {
    /// One that is let in.
    pub(super) fn new(tenant: &'a Tenant, entry: Group, admission: &'a Admission) -> Self {
        Self {
            tenant,
            entry,
            before: admission.device.as_ref(),
            double: admission.double,
            displacing: admission.displacing.clone(),
        }
    }

    /// One that a person is going to be asked about.
    pub(super) fn applying(tenant: &'a Tenant, entry: Group, displacing: Displacing) -> Self {
        Self {
            tenant,
            entry,
            before: None,
            double: None,
            displacing,
        }
    }
}

impl Ops {
    /// Finds a newcomer its place.
    pub(super) async fn find_place(
        &self,
        asked: &Asked,
        arriving: Arriving<'_>,
        said: Option<&Said>,
    ) -> Result<Place, Error> {
        let Arriving {
            tenant,
            entry,
            before,
            double,
            displacing,
        } = arriving;
        let device = self.to_be(&entry, before, asked);
        let is_here = device.group == entry.id;
        let answer = said.map(|said| &said.answer);
        let by_itself = before.is_none() && asked.name.is_none();
        let mut place = Place::at(entry, device, double);
        place.displacing = displacing;
        if answer.is_none() && place.entry.allocation.is_none() && is_here && !by_itself {
            return Ok(place);
        }
        let has_own_name = by_itself && answer.is_none_or(|answer| answer.name.is_none());
        let other_name = has_own_name.then(|| own_name(asked, true));
        let given = place.set(answer).map_err(|why| unfit(&place.entry, why))?;
        let by_hook = answer.and_then(|answer| answer.group.clone());
        let wished = match (&by_hook, place.entry.allocation.clone()) {
            (Some(group), _) => Some(group.clone()),
            (None, Some(allocation)) if is_here => {
                let chosen = self.pass_on(asked, &place, &allocation).await?;
                place.told.push(("allocated", chosen.to_string()));
                Some(chosen)
            }
            (None, _) => None,
        };
        let mut place = self
            .look_at(
                place,
                asked,
                wished,
                (before.cloned(), other_name),
                by_hook.is_some(),
            )
            .await?;
        if let Some(values) = given {
            let whose = (place.device.id, &place.device.name);
            let given = self
                .configuration_given(tenant, &place.group, whose, values)
                .await;
            place.configuration = Some(given.map_err(|error| match error {
                Error::Configuration(error) => unfit(&place.entry, explain(&error)),
                error => error,
            })?);
        }
        Ok(place)
    }

    /// The device as it comes to be where it asks.
    fn to_be(&self, entry: &Group, before: Option<&Device>, asked: &Asked) -> NewDevice {
        match before {
            Some(device) => NewDevice {
                id: device.id,
                tenant: device.tenant,
                group: device.group,
                name: device.name.clone(),
                labels: device.labels.clone(),
                hardware: asked.hardware.clone().or_else(|| device.hardware.clone()),
                attested: asked.attested().or_else(|| device.attested.clone()),
                at: device.created_at,
            },
            None => NewDevice {
                id: DeviceId::new(&*self.inner.clock, &*self.inner.rng),
                tenant: entry.tenant,
                group: entry.id,
                name: asked.name.clone().unwrap_or_else(|| own_name(asked, false)),
                labels: Labels::new(),
                hardware: asked.hardware.clone(),
                attested: asked.attested(),
                at: self.now(),
            },
        }
    }

    /// Where the group's allocation sends it.
    async fn pass_on(
        &self,
        asked: &Asked,
        place: &Place,
        allocation: &Allocation,
    ) -> Result<Name, Error> {
        let device = &place.device;
        let digest = match device.attested.as_ref().or(device.hardware.as_ref()) {
            Some(hardware) => Digest::of(hardware.to_string().as_bytes()),
            None => asked.key,
        };
        let arrival = Arrival {
            digest: &digest,
            labels: &device.labels,
            filled: &[],
        };
        let chosen = self.allocated(&place.entry, allocation, arrival).await?;
        chosen.ok_or_else(|| nowhere(&place.entry, NoLanding::NoLabel))
    }

    /// Looks at where it goes: whether that is there, and has room for it.
    async fn look_at(
        &self,
        place: Place,
        asked: &Asked,
        wished: Option<Name>,
        (before, other_name): (Option<Device>, Option<Name>),
        by_hook: bool,
    ) -> Result<Place, Error> {
        let (entry, to_be) = (place.entry.clone(), place.device.clone());
        let aside = place.displacing.clone();
        let hardware = asked.claimed().cloned();
        let (group, device, double, displacing) = self
            .inner
            .store
            .read("enroll_place", move |tx| {
                let (mut device, mut displacing) = (to_be.clone(), aside.clone());
                let failed = |why: NoLanding| match by_hook {
                    true => unfit(&entry, why.to_string()),
                    false => nowhere(&entry, why),
                };
                let group = match &wished {
                    None if device.group == entry.id => entry.clone(),
                    None => tx
                        .group(entry.tenant, device.group)?
                        .ok_or(Error::Inconsistent("a device without a group"))?,
                    Some(name) => tx
                        .group_by_name(entry.tenant, name)?
                        .ok_or_else(|| failed(NoLanding::NoGroup(name.clone())))?,
                };
                if group.id != entry.id && group.allocation.is_some() {
                    return Err(failed(NoLanding::PassesOn(group.name)));
                }
                let mut called = tx.device_by_name(group.tenant, group.id, &device.name)?;
                if let (Some(name), Some(other)) = (&other_name, &called)
                    && !displacing.has(other.id)
                {
                    device.name.clone_from(name);
                    called = tx.device_by_name(group.tenant, group.id, name)?;
                }
                if let Some(other) = called
                    && other.id != device.id
                    && !displacing.set_aside(tx, &other)?
                {
                    return Err(Error::NameTaken {
                        what: What::Device,
                        name: device.name.clone(),
                    });
                }
                if let Some(before) = before.as_ref().filter(|before| before.group != group.id) {
                    let target = enlist_core::ConfigurationTarget::Device(before.id);
                    let own = tx.configuration_newest(before.tenant, before.group, target)?;
                    if own.is_some() {
                        return Err(failed(NoLanding::Configured));
                    }
                }
                let alike = match &hardware {
                    Some(hardware) => tx.devices_by_hardware(group.tenant, group.id, hardware)?,
                    None => Vec::new(),
                };
                let is_identity = entry.hardware_is_identity || group.hardware_is_identity;
                let mut double = None;
                for other in alike.iter().filter(|other| other.id != device.id) {
                    let gives_way = match is_identity {
                        true => displacing.set_aside(tx, other)?,
                        false => displacing.has(other.id),
                    };
                    if !gives_way {
                        double = double.or(Some(other.id));
                    }
                }
                if double.is_some() && group.hardware_is_identity {
                    return Err(Error::HardwareConflict);
                }
                device.group = group.id;
                Ok((group, device, double, displacing))
            })
            .await?;
        Ok(Place {
            group,
            device,
            double,
            displacing,
            ..place
        })
    }
}

impl Place {
    /// Just where it asked, and as it asked.
    pub(super) fn at(entry: Group, device: NewDevice, double: Option<DeviceId>) -> Self {
        Self {
            group: entry.clone(),
            entry,
            device,
            double,
            displacing: Displacing::default(),
            told: Vec::new(),
            configuration: None,
        }
    }

    /// Takes what the hook has set; what it has set of configuration is given back.
    fn set(
        &mut self,
        answer: Option<&HookAnswer>,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, String> {
        let Some(answer) = answer else {
            return Ok(None);
        };
        let mut set = Vec::new();
        if let Some(group) = &answer.group {
            set.push(format!("group {group}"));
        }
        if let Some(name) = &answer.name {
            self.device.name = name.clone();
            set.push(format!("name {name}"));
        }
        if !answer.labels.is_empty() {
            self.device.labels.extend(answer.labels.clone());
            check_labels(&self.device.labels).map_err(|error| error.to_string())?;
            let keys: Vec<_> = answer.labels.keys().map(String::as_str).collect();
            set.push(format!("labels {}", keys.join(" ")));
        }
        if answer.configuration.is_some() {
            set.push("configuration".to_owned());
        }
        let said = answer.reason.as_deref().unwrap_or("yes");
        self.told.push(("hook", said.to_owned()));
        if !set.is_empty() {
            self.told.push(("hook_set", set.join(", ")));
        }
        Ok(answer.configuration.clone())
    }

    /// Whether the groups are still as they were when this was decided.
    pub(super) fn stands(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let mut is_same = |group: &Group| -> Result<bool, Error> {
            Ok(tx.group(group.tenant, group.id)?.as_ref() == Some(group))
        };
        Ok(is_same(&self.entry)? && (self.entry.id == self.group.id || is_same(&self.group)?))
    }

    /// Records what goes with it, for the device, which is there by now and has claimed its hardware. False
    /// where that no longer fits.
    pub(super) fn record(
        &self,
        tx: &mut Tx<'_>,
        asked: &Asked,
        device: &Device,
    ) -> Result<bool, Error> {
        let renamed = asked.name.as_ref().is_some_and(|name| *name != device.name);
        if self.entry.id != self.group.id || renamed {
            let name = TombstoneOf::Name(device.group, device.name.clone());
            refuse_buried(tx, device.tenant, &[&name], asked.tell())?;
            let is_first = tx.put_landing(&Landing {
                tenant: device.tenant,
                device: device.id,
                entry: self.entry.id,
                name: asked.name.clone(),
                hardware: asked.hardware.clone(),
            })?;
            if !is_first {
                return Ok(false);
            }
        }
        if let Some(hardware) = asked.claimed()
            && landed::is_taken(tx, &self.entry, hardware, device)?
        {
            return Ok(false);
        }
        match &self.configuration {
            Some(given) => given.record(tx, device),
            None => Ok(true),
        }
    }

    /// Says in the event how it came to be there.
    pub(super) fn tell(&self, event: Event) -> Event {
        let mut event = event;
        if self.entry.id != self.group.id {
            event = event.with("asked_at", &self.entry.name);
        }
        for (what, text) in &self.told {
            event = event.with(what, text);
        }
        event
    }
}

fn unfit(entry: &Group, why: String) -> Error {
    let group = entry.name.clone();
    let why = HookFailure::Unfit(why);
    Error::HookUnavailable { group, why }
}

fn nowhere(entry: &Group, why: NoLanding) -> Error {
    let group = entry.name.clone();
    Error::AllocationFailed { group, why }
}
