//! Roots on their way in and out: a next one is made, devices take it, the old one is retired.

mod add;
mod approve;
mod follow;
mod list;
mod offer;
mod retire;
mod rollover;

use enlist_core::{CaRecord, CaStanding, RootRecord, Timestamp};

pub use list::RootView;
pub use offer::RootOffered;
pub use retire::RetireRoot;
pub use rollover::{GroupReadiness, Rollover, UnreadyDevice};

pub(crate) use offer::offer;

/// The root among `roots` that stands so.
fn standing(roots: &[RootRecord], standing: CaStanding) -> Option<&RootRecord> {
    roots.iter().find(|root| root.ca.standing == standing)
}

/// When a CA that takes the place of `before` was made: later, whatever the clock says, since the newest
/// is the one that counts.
fn after(before: &CaRecord, now: Timestamp) -> Timestamp {
    let next = Timestamp::from_millis(before.created_at.as_millis() + 1);
    now.max(next)
}
