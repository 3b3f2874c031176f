//! Roots on their way in and out: a next one is made, devices take it, the old one is retired.

mod add;
mod approve;
mod export;
mod follow;
mod list;
mod offer;
mod retire;
mod rollover;

use enlist_core::{CaStanding, RootRecord};

pub use export::{RootExported, offline_message};
pub use list::RootView;
pub use offer::RootOffered;
pub use retire::RetireRoot;
pub use rollover::{GroupReadiness, Rollover, UnreadyDevice};

pub(crate) use offer::offer;

/// The root among `roots` that stands so.
fn standing(roots: &[RootRecord], standing: CaStanding) -> Option<&RootRecord> {
    roots.iter().find(|root| root.ca.standing == standing)
}
