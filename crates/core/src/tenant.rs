//! A tenant.

use crate::{Name, Subject, TenantId, Timestamp};

/// An organisation or project. It owns groups, an issuing CA and API tokens;
/// nothing crosses tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique in the installation.
    pub name: Name,
    /// Whether it can issue.
    pub state: TenantState,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Tenant {
    /// What an event about the tenant as a whole is about.
    pub fn subject(&self) -> Subject {
        Subject {
            tenant: self.id,
            group: None,
            device: None,
            name: self.name.to_string(),
        }
    }
}

/// Whether a tenant can issue certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantState {
    /// It has its issuing CA.
    Active,
    /// The root is offline; the issuing CA's certificate is still to be imported.
    AwaitingCa,
}

impl TenantState {
    /// The text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::AwaitingCa => "awaiting-ca",
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::AwaitingCa]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}
