//! Issuing CAs on their way in and out: a next one is made and made known, it takes over, and the one
//! before it is known for as long as anything under it is valid.

mod add;
mod anchors;
mod chain;
mod current;
mod import;
mod known;
mod list;
mod renew;
mod request;
mod retire;
mod sign;
mod trial;

use enlist_core::{CaRecord, CaStanding, Timestamp};
use enlist_store::Tx;

use crate::Error;

pub use add::CaAdded;
pub use anchors::TenantAuthority;
pub use list::{CaKeyPlace, CaView};
pub use request::CaRequestView;
pub use retire::RetireCa;
pub use sign::{CaToSign, sign_issuing_ca};

pub(crate) use known::KnownCa;

/// The CA among `cas` that stands so.
fn standing(cas: &[KnownCa], standing: CaStanding) -> Option<&KnownCa> {
    cas.iter().find(|ca| ca.standing == standing)
}

/// When a CA that takes the place of `before` was made: later, whatever the clock says, since the newest
/// is the one that counts.
pub(crate) fn after(before: &CaRecord, now: Timestamp) -> Timestamp {
    let next = Timestamp::from_millis(before.created_at.as_millis() + 1);
    now.max(next)
}

/// Whether a job has surely recorded nothing, so that a key that was made for it is of no use to anybody.
pub(crate) fn left_nothing<T>(outcome: &Result<Option<T>, Error>) -> bool {
    match outcome {
        Ok(recorded) => recorded.is_none(),
        Err(error) => is_surely_unrecorded(error),
    }
}

/// Of a store that fails nobody knows whether it failed before it had recorded or after.
fn is_surely_unrecorded(error: &Error) -> bool {
    !matches!(
        error,
        Error::Store(_) | Error::StorageFull | Error::Busy { .. }
    )
}

/// Whether a certificate of `ca` is still valid at `now`, so that it has to be known.
pub(crate) fn is_needed(tx: &mut Tx<'_>, ca: &KnownCa, now: Timestamp) -> Result<bool, Error> {
    if ca.standing != CaStanding::Retired {
        return Ok(true);
    }
    for member in &ca.members {
        if tx.last_expiry(*member)?.is_some_and(|last| last > now) {
            return Ok(true);
        }
    }
    Ok(false)
}
