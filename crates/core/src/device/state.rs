//! The states of a device's life.

use crate::{ApprovalCode, Timestamp};

/// Where a device is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Known, without credentials (or with those of a pre-enrollment that never started).
    Created,
    /// It asked to enroll, and waits for a person.
    Pending {
        /// By which the person knows it.
        code: ApprovalCode,
        /// When its application lapses.
        until: Timestamp,
    },
    /// In service.
    Active,
    /// Out of service, and may come back: its certificate is on hold.
    Suspended,
    /// On its way out: it may only poll, and hand in its receipt.
    Decommissioning,
    /// Gone for good, unless an operator lets it back once.
    Decommissioned,
}

/// A state without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateKind {
    /// See [`State::Created`].
    Created,
    /// See [`State::Pending`].
    Pending,
    /// See [`State::Active`].
    Active,
    /// See [`State::Suspended`].
    Suspended,
    /// See [`State::Decommissioning`].
    Decommissioning,
    /// See [`State::Decommissioned`].
    Decommissioned,
}

impl State {
    /// Which state it is.
    pub fn kind(&self) -> StateKind {
        match self {
            Self::Created => StateKind::Created,
            Self::Pending { .. } => StateKind::Pending,
            Self::Active => StateKind::Active,
            Self::Suspended => StateKind::Suspended,
            Self::Decommissioning => StateKind::Decommissioning,
            Self::Decommissioned => StateKind::Decommissioned,
        }
    }
}

impl StateKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Pending,
        Self::Active,
        Self::Suspended,
        Self::Decommissioning,
        Self::Decommissioned,
    ];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Decommissioning => "decommissioning",
            Self::Decommissioned => "decommissioned",
        }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
