use enlist_signed::OrderedBy;
use serde::{Deserialize, Serialize};

use super::{Order, WipeError};
use crate::disk::Disk;

/// What somebody at the device asks of the agent that is at work there. It lies in the agent's own
/// directory, so only who may read its keys can ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// Why, in words for the record.
    pub reason: Option<String>,
    /// Whether `receipt.json` is to be left when all is done.
    pub keep_copy: bool,
}

const REQUEST: &str = "wipe-request";

/// Leaves a request for a wipe. It counts from now on, also when the agent at work is ended first.
///
/// # Errors
/// The file system's.
pub fn ask(disk: &mut impl Disk, request: &Request) -> Result<(), WipeError> {
    let json = serde_json::to_vec(request).expect("a request is a text");
    disk.write(REQUEST, &json)
        .map_err(|source| WipeError::Disk {
            what: REQUEST,
            source,
        })
}

/// The wipe that somebody has asked for; `None` where nobody has.
///
/// # Errors
/// The file system's.
pub fn asked(disk: &impl Disk) -> Result<Option<Order>, WipeError> {
    let found = disk.read(REQUEST).map_err(|source| WipeError::Disk {
        what: REQUEST,
        source,
    })?;
    Ok(found.map(|json| {
        // That it is there is what counts; the words are for the record.
        let request: Request = serde_json::from_slice(&json).unwrap_or_default();
        Order {
            by: OrderedBy::CommandLine,
            command: None,
            reason: request.reason,
            keep_copy: request.keep_copy,
        }
    }))
}
