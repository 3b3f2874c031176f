//! Why a newcomer that its group passes on comes nowhere.

use enlist_core::Name;

/// Why there is nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLanding {
    /// Its label names no group, and there is no default.
    #[error("it has no label that names a group, and there is no default")]
    NoLabel,
    /// The group is not there.
    #[error("there is no group `{0}`")]
    NoGroup(Name),
    /// The group passes newcomers on itself.
    #[error("the group `{0}` passes newcomers on itself")]
    PassesOn(Name),
    /// It would leave its configuration behind.
    #[error("it has configuration of its own in the group that it was created in")]
    Configured,
}
