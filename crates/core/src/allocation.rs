//! Distributing newcomers over groups.

use serde::{Deserialize, Serialize};

use crate::{Digest, Labels, Name};

/// How a group passes its newcomers on to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Allocation {
    /// By a label, whose value is the name of a group.
    Label {
        /// The label.
        key: String,
        /// Where those go whose label is not there, or names no group.
        default: Option<Name>,
    },
    /// By a hash of what the device is: the same device always to the same group, and about as many to
    /// each. One more group takes devices from all others, and moves none between those.
    Hash {
        /// The groups.
        groups: Vec<Name>,
    },
    /// By a hash likewise, but in proportion.
    Weighted {
        /// The groups and their shares.
        groups: Vec<Share>,
    },
    /// To the group that has the fewest devices.
    LeastFilled {
        /// The groups.
        groups: Vec<Name>,
    },
}

/// One group's part of the newcomers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The group.
    pub group: Name,
    /// How many go there for one that goes to a group of weight 1.
    pub weight: u32,
}

/// An allocation that can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllocation {
    /// No group, or too many.
    #[error("name 1 to 64 groups to distribute devices over")]
    Groups,
    /// The same group twice.
    #[error("name each group once")]
    Twice,
    /// Weights beyond their bounds.
    #[error("weights are at least 1, and at most 1000 together")]
    Weights,
    /// A label that no device can have.
    #[error("a label has 1 to 63 bytes, without control characters")]
    Label,
}

/// What decides where a newcomer goes.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Of what it is: its hardware, or its key.
    pub digest: &'a Digest,
    /// Its labels.
    pub labels: &'a Labels,
    /// How many devices the groups of [`Allocation::groups`] have, in that order; looked at by
    /// [`Allocation::LeastFilled`] alone. What is missing counts as none.
    pub filled: &'a [u64],
}

impl Allocation {
    /// The most groups that devices are distributed over.
    pub const MOST_GROUPS: usize = 64;
    /// The most that weights come to together.
    pub const MOST_WEIGHT: u32 = 1000;

    /// Checks it by itself; whether the groups are there is for the store to say.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), InvalidAllocation> {
        if let Self::Label { key, .. } = self {
            let fits = (1..=63).contains(&key.len()) && !key.chars().any(char::is_control);
            return fits.then_some(()).ok_or(InvalidAllocation::Label);
        }
        let mut groups = self.groups();
        if groups.is_empty() || groups.len() > Self::MOST_GROUPS {
            return Err(InvalidAllocation::Groups);
        }
        let count = groups.len();
        groups.sort_unstable();
        groups.dedup();
        if groups.len() < count {
            return Err(InvalidAllocation::Twice);
        }
        if let Self::Weighted { groups } = self {
            let total = groups
                .iter()
                .try_fold(0_u32, |sum, share| sum.checked_add(share.weight));
            let fits = total.is_some_and(|total| total <= Self::MOST_WEIGHT)
                && groups.iter().all(|share| share.weight > 0);
            return fits.then_some(()).ok_or(InvalidAllocation::Weights);
        }
        Ok(())
    }

    /// The groups that it names.
    pub fn groups(&self) -> Vec<&Name> {
        match self {
            Self::Label { default, .. } => default.iter().collect(),
            Self::Hash { groups } | Self::LeastFilled { groups } => groups.iter().collect(),
            Self::Weighted { groups } => groups.iter().map(|share| &share.group).collect(),
        }
    }

    /// Where a newcomer goes; `None` where its label does not say, and there is no default.
    pub fn choose(&self, arrival: Arrival<'_>) -> Option<Name> {
        match self {
            Self::Label { key, default } => {
                let named = arrival.labels.get(key).and_then(|value| value.parse().ok());
                named.or_else(|| default.clone())
            }
            Self::Hash { groups } => highest(groups.iter().map(|name| (name, 1)), arrival.digest),
            Self::Weighted { groups } => {
                let shares = groups.iter().map(|share| (&share.group, share.weight));
                highest(shares, arrival.digest)
            }
            Self::LeastFilled { groups } => {
                let filled = |at: usize| arrival.filled.get(at).copied().unwrap_or(0);
                let least = (0..groups.len()).min_by_key(|at| filled(*at))?;
                groups.get(least).cloned()
            }
        }
    }
}

/// Rendezvous hashing: each group draws as many lots as it has weight, each lot depends on nothing but
/// the device, the group and its number, and the highest lot wins.
fn highest<'a>(groups: impl Iterator<Item = (&'a Name, u32)>, of: &Digest) -> Option<Name> {
    let lots = groups.flat_map(|(group, weight)| (0..weight).map(move |lot| (group, lot)));
    let highest = lots.max_by_key(|(group, lot)| {
        let mut bytes = b"enlist allocation v1\0".to_vec();
        bytes.extend(of.as_bytes());
        bytes.extend(lot.to_be_bytes());
        bytes.extend(group.as_str().as_bytes());
        *Digest::of(&bytes).as_bytes()
    });
    highest.map(|(group, _)| group.clone())
}
