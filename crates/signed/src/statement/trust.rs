use enlist_core::{Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::Statement;

/// A yes to a new root, where a group's configuration is signed by its operators' own key: there a device
/// takes no new root without it, however well the old one has signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// The group's tenant.
    pub tenant: Name,
    /// The group.
    pub group: Name,
    /// SHA-256 of the new root's certificate (DER), lowercase hexadecimal.
    pub root: String,
    /// When it was said.
    pub at: Timestamp,
}

impl Statement for Trust {
    const TYPE: &'static str = "application/vnd.enlist.trust+json";
}
