use std::path::PathBuf;

use enlist_core::{DeviceId, Name, Timestamp};
use enlist_signed::{Envelope, ErasedItem, Erasure, OrderedBy, Receipt};
use serde::{Deserialize, Serialize};

use super::{JOURNAL, Order, WipeError};
use crate::config::HookCommand;
use crate::disk::{Disk, Vault, VaultError};
use crate::hooks;
use crate::machine::{Identity, State};

/// How far a wipe has come: all that a restart needs besides the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// Who wanted it.
    pub ordered_by: OrderedBy,
    /// The number of the server's command, where it was one.
    pub command: Option<u64>,
    /// Why.
    pub reason: Option<String>,
    /// Whether a copy of the receipt is to be left.
    pub keep_copy: bool,
    /// When it began.
    pub began_at: Timestamp,
    /// Who the device is; `None` where it never enrolled.
    pub who: Option<Who>,
    /// What is to be erased before the keys, and what came of it; `None` before it was looked at.
    pub plan: Option<Vec<Planned>>,
    /// The receipt, once it is signed.
    pub receipt: Option<Envelope>,
    /// Whether the keys are destroyed.
    pub keys_gone: bool,
    /// What came of handing in the receipt, once that is over.
    pub delivery: Option<Delivery>,
}

/// Who a device was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Its tenant.
    pub tenant: Name,
    /// Its group.
    pub group: Name,
    /// Its id.
    pub device: DeviceId,
    /// Its name.
    pub name: Name,
    /// Serial number of its certificate, lowercase hexadecimal; `None` where it never got hold of it.
    pub serial: Option<String>,
    /// The slot of its key.
    pub slot: u64,
}

/// One thing that is to be erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What.
    pub thing: Thing,
    /// Whether it was there when the wipe began to erase. What is gone the next time was erased then.
    pub there: bool,
    /// What came of it, once it is done.
    pub result: Option<Erasure>,
}

/// What can be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// What a command of the operator's erases.
    Hook(HookCommand),
    /// A file or a directory of the operator's list.
    Path(PathBuf),
    /// Something of the agent's own.
    Own(Own),
}

/// What the agent itself keeps, apart from the key that signs the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Own {
    /// The configuration that came from the server, and the log of its changes.
    Configuration,
    /// What the agent noted of its troubles.
    Log,
    /// The token, and every key and certificate but the current.
    Credential,
}

/// What came of handing in the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The server has it on record.
    Received,
    /// The server will never take it; why.
    Refused(String),
}

const VERSION: u32 = 1;

impl Journal {
    pub(super) fn new(order: &Order, who: Option<Who>, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            ordered_by: order.by,
            command: order.command,
            reason: order.reason.clone(),
            keep_copy: order.keep_copy,
            began_at: now,
            who,
            plan: None,
            receipt: None,
            keys_gone: false,
            delivery: None,
        }
    }

    /// The journal on `disk`; `None` where no wipe is under way.
    ///
    /// # Errors
    /// When it can't be read, or is not one.
    pub fn read(disk: &dyn Disk) -> Result<Option<Self>, WipeError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let failed = |source| WipeError::Disk {
            what: JOURNAL,
            source,
        };
        let Some(json) = disk.read(JOURNAL).map_err(failed)? else {
            return Ok(None);
        };
        let Version { version } = serde_json::from_slice(&json).map_err(WipeError::Damaged)?;
        if version != VERSION {
            return Err(WipeError::Version(version));
        }
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(WipeError::Damaged)
    }

    pub(super) fn write(&self, disk: &mut dyn Disk) -> Result<(), WipeError> {
        let json = serde_json::to_vec_pretty(self).expect("a journal is texts and numbers");
        disk.write(JOURNAL, &json)
            .map_err(|source| WipeError::Disk {
                what: JOURNAL,
                source,
            })
    }

    /// What has been erased so far, and what came of it.
    #[must_use]
    pub fn erased(&self) -> Vec<ErasedItem> {
        let done = |planned: &Planned| {
            Some(ErasedItem {
                what: planned.thing.to_string(),
                result: planned.result.clone()?,
            })
        };
        self.plan.iter().flatten().filter_map(done).collect()
    }

    /// The receipt, to be signed now; `None` where the device has nothing that could prove it.
    pub(super) fn statement(&self, now: Timestamp) -> Option<Receipt> {
        let who = self.who.as_ref()?;
        Some(Receipt {
            tenant: who.tenant.clone(),
            group: who.group.clone(),
            device: who.device,
            name: who.name.clone(),
            serial: who.serial.clone()?,
            ordered_by: self.ordered_by,
            began_at: self.began_at,
            at: now,
            erased: self.erased(),
        })
    }
}

impl Who {
    /// Who this device is; `None` where it never enrolled, or what it knew of itself is lost.
    pub(super) fn of_this_device(disk: &mut dyn Disk) -> Result<Option<Self>, WipeError> {
        let state = match Vault::new(disk).state() {
            Ok(state) => state,
            // A device that does not know itself any more is wiped all the same.
            Err(VaultError::State(_)) => None,
            Err(error) => return Err(error.into()),
        };
        // While a device enrolls anew, it is still who it was before.
        let aside = |state: &State| Some(state.aside.as_ref()?.identity.clone());
        let identity = |state: &State| state.identity().cloned().or_else(|| aside(state));
        Ok(state
            .as_ref()
            .and_then(identity)
            .and_then(|own| Self::of(&own)))
    }

    fn of(identity: &Identity) -> Option<Self> {
        let name = |text: &String| Name::try_from(text.clone()).ok();
        Some(Self {
            tenant: name(&identity.tenant)?,
            group: name(&identity.group)?,
            device: identity.device_id,
            name: name(&identity.name)?,
            serial: identity.validity.as_ref().map(|own| own.serial.clone()),
            slot: identity.slot,
        })
    }
}

impl std::fmt::Display for Thing {
    /// As it stands in the receipt. Of a hook, the program alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hook(hook) => write!(f, "hook:{}", hooks::program(hook)),
            Self::Path(path) => write!(f, "path:{}", path.display()),
            Self::Own(Own::Configuration) => f.write_str("configuration"),
            Self::Own(Own::Log) => f.write_str("log"),
            Self::Own(Own::Credential) => f.write_str("credential"),
        }
    }
}
