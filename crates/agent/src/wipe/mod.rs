//! The end of a device's life: everything that it holds is erased, and the server has it in writing.
//!
//! A wipe has a journal, `wipe.json`. From the moment that it is written the device is out of service:
//! as long as it is there, the agent does nothing but go on with the wipe, whatever happens in between.
//! The order is: log, notify the server, erase data, sign the receipt, destroy the keys, hand in the
//! receipt, remove the journal. Each step is durable before the next begins, and each may be done again.
//!
//! - [`begin`] writes the journal, [`is_under_way`] looks for it.
//! - [`Course`] decides what comes next, without I/O; [`Wipe`] carries it out with a
//!   [`Vault`](crate::disk::Vault), a [`WipeNet`] and a [`Ground`].
//! - [`ask`] leaves a request for the agent that is at work, [`asked`] finds it.

mod course;
mod drive;
mod ground;
mod journal;
mod net;
mod request;
mod step;

use enlist_core::Timestamp;
use enlist_signed::OrderedBy;

pub use course::Course;
pub use drive::{Wipe, WipeProgress};
pub use ground::{FileGround, Ground};
pub use journal::{Delivery, Journal, Own, Planned, Thing, Who};
pub use net::WipeNet;
pub use request::{Request, ask, asked};
pub use step::{Note, Outcome, Step};

use crate::disk::{Disk, VaultError};

/// Who wants a wipe, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub by: OrderedBy,
    /// The number of the server's command, where it was one.
    pub command: Option<u64>,
    /// Why, in words for the record.
    pub reason: Option<String>,
    /// Whether `receipt.json` is to be left when all is done.
    pub keep_copy: bool,
}

/// Why a wipe can't begin, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// The journal, or what it needs to begin, can't be read or written.
    #[error("{what} can't be read or written")]
    Disk {
        /// The file.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is kept can't be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The journal is not one.
    #[error(
        "wipe.json is damaged: a wipe was under way; `enlist-agent decommission` begins it anew"
    )]
    Damaged(#[source] serde_json::Error),
    /// The journal is a later agent's.
    #[error("wipe.json is of version {0}, which this agent does not know; run a newer one")]
    Version(u32),
}

/// The journal's file.
const JOURNAL: &str = "wipe.json";
/// Where a copy of the receipt is left, where one is wanted.
pub const RECEIPT: &str = "receipt.json";

/// Whether a wipe is under way. Then nothing else may be done in this directory.
///
/// # Errors
/// The file system's. Nothing may be done then either.
pub fn is_under_way(disk: &impl Disk) -> Result<bool, WipeError> {
    disk.read(JOURNAL)
        .map(|journal| journal.is_some())
        .map_err(|source| WipeError::Disk {
            what: JOURNAL,
            source,
        })
}

/// Begins a wipe: once this returns, the device is out of service. Where one is under way already, that
/// one goes on as it was ordered; one whose journal is damaged begins anew.
///
/// # Errors
/// When the journal can't be written, or who the device is can't be read: it stays in service then.
pub fn begin(disk: &mut dyn Disk, order: &Order, now: Timestamp) -> Result<(), WipeError> {
    match Journal::read(disk) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) | Err(WipeError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    let who = Who::of_this_device(disk)?;
    Journal::new(order, who, now).write(disk)
}
