use serde::{Deserialize, Serialize};

/// How a group passes its newcomers on to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Allocation {
    /// It does not: they stay. A group of which nothing else is said has no `allocation`.
    None,
    /// By a label, whose value is the name of a group.
    Label {
        /// The label.
        key: String,
        /// The group of those whose label is not there, or is no name; without one they are turned away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
    /// By a hash of the device's hardware identity, else of its key: the same device always to the same
    /// group, and about as many to each.
    Hash {
        /// The names of the groups.
        groups: Vec<String>,
    },
    /// By a hash likewise, but in proportion.
    Weighted {
        /// The groups and their shares.
        groups: Vec<Share>,
    },
    /// To the group that has the fewest devices; about so, where many come at once.
    LeastFilled {
        /// The names of the groups.
        groups: Vec<String>,
    },
}

/// One group's part of the newcomers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    /// The name of the group.
    pub group: String,
    /// How many go there for one that goes to a group of weight 1; all weights come to 1000 at most.
    pub weight: u32,
}
