use enlist_core::{DeviceId, Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::Statement;

/// What a device says of its own wipe. It is signed with the key of its last certificate, after everything
/// but that key was erased and before the key goes; by that signature it proves itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The device's tenant.
    pub tenant: Name,
    /// The device's group.
    pub group: Name,
    /// The device.
    pub device: DeviceId,
    /// Its name.
    pub name: Name,
    /// Serial number of the certificate whose key signs, lowercase hexadecimal.
    pub serial: String,
    /// Who wanted it.
    pub ordered_by: OrderedBy,
    /// When the wipe began, by the device's clock.
    pub began_at: Timestamp,
    /// When the receipt was signed, by the device's clock.
    pub at: Timestamp,
    /// What was erased.
    pub erased: Vec<ErasedItem>,
}

/// Who wanted the wipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderedBy {
    /// The server, by a signed command.
    Server,
    /// Somebody at the device, by the command line.
    CommandLine,
    /// Somebody at the device, by its button.
    Button,
}

/// One thing that was to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedItem {
    /// What: `path:/var/lib/app`, `hook:…`, `configuration`, `cache`, `log`, `credential`.
    pub what: String,
    /// What came of it.
    pub result: Erasure,
}

/// What came of erasing something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Erasure {
    /// It was there, and is not any more.
    Erased,
    /// It was not there.
    Absent,
    /// It could not be erased, or not proven to be; why.
    Failed(String),
}

impl Statement for Receipt {
    const TYPE: &'static str = "application/vnd.enlist.receipt+json";
}
