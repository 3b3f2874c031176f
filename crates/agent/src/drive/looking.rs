//! What the machine would say, for those who only look.

use enlist_core::Timestamp;

use super::claim::Claim;
use super::open::settings;
use crate::config::Configuration;
use crate::machine::{Machine, State};

/// When the certificate of a device in this state is to be renewed, by a clock that reads `now`.
pub(crate) fn renewal_due(
    configuration: &Configuration,
    state: State,
    now: Timestamp,
) -> Option<Timestamp> {
    let settings = settings(configuration, Claim::default(), None);
    Machine::new(settings, Some(state)).renewal_due(now)
}
