//! The configuration of what runs on the device: signed statements in, one file out that programs read.
//!
//! ```text
//! configuration/state.json             how far it has come; state.copy.json is the same once more
//! configuration/known/<kind>.json      the newest statement of each kind: schema, group, device
//! configuration/<n>/config.json        a configuration, beside the statements that it came of
//! configuration/current -> <n>         the one in force; programs read current/config.json
//! configuration/backup-v<N>/           the last one of schema version N, before the schema rose
//! configuration/changes.log            who changed what, from what to what; secrets masked
//! configuration/reset-request/         somebody at the device wants the defaults back
//! ```
//!
//! [`Keeper`] decides, and holds neither disk nor hook; [`Keeper::step`] carries one decision out. What it
//! plans it plans from what is durable, so that it goes on after a power cut as after anything else. The
//! record changes last: until a configuration is recorded as in force, the one before is.

mod candidate;
mod change_log;
mod hook;
mod keeper;
mod load;
mod note;
mod offer;
mod plan;
mod record;
mod slot;
mod statements;
mod step;
mod trial;

use std::io;

use enlist_core::DeviceId;
use serde::{Deserialize, Serialize};

pub(crate) use hook::{hook, keys};
pub use keeper::Keeper;
pub use note::Note;
pub(crate) use slot::REQUEST;

use crate::disk::Disk;

/// The log of changes, the older part first: JSON lines.
pub(crate) fn changes<D: Disk>(disk: &D) -> io::Result<String> {
    let mut text = Vec::new();
    for path in [slot::OLD_LOG, slot::LOG] {
        text.extend(disk.read(path)?.unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Asks the agent that is at work for the defaults; it looks when it is started or reads its configuration
/// again.
pub(crate) fn request_reset<D: Disk>(disk: &mut D, by: ResetBy) -> io::Result<()> {
    let by = serde_json::to_vec(&by)?;
    disk.write(&format!("{REQUEST}/by"), &by)
}

/// Who the device is. Statements for others are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceIs {
    /// Its tenant's name.
    pub tenant: String,
    /// Its group's name.
    pub group: String,
    /// The device.
    pub device_id: DeviceId,
}

/// Who wants the defaults back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResetBy {
    /// The server, by a signed command.
    Server,
    /// Somebody at the device, by the command line.
    CommandLine,
    /// Somebody at the device, by its button.
    Button,
}

/// A configuration that the local hook is asked about. Paths are relative to the agent's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check<'a> {
    /// The file that is to be in force.
    pub configuration: &'a str,
    /// The file that is, or was before.
    pub before: Option<&'a str>,
}

/// What the local hook said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It goes well with it, or there is no hook.
    Good,
    /// It does not; why.
    Failed(String),
    /// It was ended, since it took longer than it may.
    TookTooLong,
}

impl ResetBy {
    /// As it stands in the log of changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::CommandLine => "command-line",
            Self::Button => "button",
        }
    }
}
