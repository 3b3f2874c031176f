//! Who may do what through the management API.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ApiTokenId, GroupId, TenantId, Timestamp};

/// What an API token is good for. Each role may do all that those after it may,
/// except that a factory's token reads no more than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything in its tenant, API tokens and tenants included.
    Admin,
    /// Groups, secrets and the life of devices.
    Operator,
    /// Creating and pre-enrolling devices, and nothing else.
    Factory,
    /// Reading.
    Viewer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::Factory, Self::Viewer];

    /// Whether a holder of this role may do what asks for `needed`.
    pub fn includes(self, needed: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Operator => needed != Self::Admin,
            Self::Factory | Self::Viewer => self == needed,
        }
    }

    /// The text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Factory => "factory",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// A text that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role: use admin, operator, factory or viewer")]
pub struct UnknownRole;

/// Who stands behind a call to the management API.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The API token that was shown.
    pub token: ApiTokenId,
    /// What the token is called.
    pub label: String,
    /// The tenant it belongs to; `None` for one of the whole installation.
    pub tenant: Option<TenantId>,
    /// The one group of that tenant that it is good for; `None` for all that its tenant has.
    pub group: Option<GroupId>,
    /// What it is good for.
    pub role: Role,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl Operator {
    /// Whether this operator may see `tenant` at all.
    pub fn sees(&self, tenant: TenantId) -> bool {
        self.tenant.is_none_or(|own| own == tenant)
    }

    /// Whether this operator may see `group`, which is of a tenant that it sees.
    pub fn sees_group(&self, group: GroupId) -> bool {
        self.group.is_none_or(|own| own == group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factory_token_reads_nothing_and_a_viewer_writes_nothing() {
        use Role::{Admin, Factory, Operator, Viewer};
        let may: Vec<_> = Role::ALL
            .iter()
            .map(|role| Role::ALL.map(|needed| role.includes(needed)))
            .collect();
        assert_eq!(
            may,
            [
                [true, true, true, true],
                [false, true, true, true],
                [false, false, true, false],
                [false, false, false, true],
            ]
        );
        assert_eq!(Role::ALL, [Admin, Operator, Factory, Viewer]);
    }
}
