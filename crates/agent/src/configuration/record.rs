use enlist_core::Timestamp;
use enlist_wire::ConfigurationNumbers as Numbers;
use serde::{Deserialize, Serialize};

use super::{DeviceIs, ResetBy};

/// The version of this record.
const VERSION: u32 = 1;

/// How far the configuration has come. It is kept twice, and the later whole one counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    /// Rises with each save.
    pub(super) generation: u64,
    /// Whose statements these are.
    #[serde(default)]
    pub(super) whose: Option<DeviceIs>,
    /// The newest authentic statements that were seen. None that is lower is taken.
    #[serde(default)]
    pub(super) seen: Numbers,
    /// Layers up to these count no more since the last reset.
    #[serde(default)]
    pub(super) reset: Numbers,
    /// Who wanted the reset that is under way.
    #[serde(default)]
    pub(super) resetting: Option<ResetBy>,
    /// The wish that was last put into force or refused.
    #[serde(default)]
    pub(super) decided: Option<Numbers>,
    #[serde(default)]
    pub(super) in_force: Option<InForce>,
    /// The one before that.
    #[serde(default)]
    pub(super) previous: Option<InForce>,
    #[serde(default)]
    pub(super) trial: Option<Trial>,
    #[serde(default)]
    pub(super) refused: Option<Refusal>,
    /// The highest number of a slot that was ever used.
    #[serde(default)]
    pub(super) last_slot: u64,
}

/// A configuration in its slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InForce {
    pub(super) slot: u64,
    /// The statements that it came of.
    pub(super) numbers: Numbers,
    pub(super) schema_version: u32,
    /// SHA-256 of its file, lowercase hexadecimal.
    pub(super) digest: String,
    pub(super) since: Timestamp,
    pub(super) because: Because,
}

/// Why a configuration is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Because {
    Applied,
    Reset,
    RolledBack,
}

/// A configuration that is being tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trial {
    pub(super) to: InForce,
    /// The wish that it fulfils.
    pub(super) wish: Numbers,
    /// On whose behalf, for the log.
    pub(super) who: String,
    /// How often the hook was begun.
    pub(super) attempts: u32,
    /// Set once it has failed: from then on the way is back.
    #[serde(default)]
    pub(super) failed: Option<Refusal>,
    /// The hook was begun for the configuration that is gone back to.
    #[serde(default)]
    pub(super) returned: bool,
}

/// Statements that were not put into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) numbers: Numbers,
    /// A slug.
    pub(super) reason: String,
    /// Words, without secrets.
    pub(super) detail: String,
    pub(super) at: Timestamp,
    /// Digest of the offer, where it was refused before anything of it was believed.
    #[serde(default)]
    pub(super) offer: Option<String>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            version: VERSION,
            generation: 0,
            whose: None,
            seen: Numbers::default(),
            reset: Numbers::default(),
            resetting: None,
            decided: None,
            in_force: None,
            previous: None,
            trial: None,
            refused: None,
            last_slot: 0,
        }
    }
}

impl Record {
    /// `None` where it is damaged, or of a version that this agent does not know.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(json).ok()?;
        (record.version == VERSION).then_some(record)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a record is texts and numbers")
    }

    /// The slots that are in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = u64> {
        let trial = self.trial.as_ref().map(|trial| &trial.to);
        [self.in_force.as_ref(), self.previous.as_ref(), trial]
            .into_iter()
            .flatten()
            .map(|one| one.slot)
    }
}

impl Because {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Reset => "reset",
            Self::RolledBack => "rolled-back",
        }
    }
}

impl Refusal {
    pub(super) fn new(numbers: Numbers, reason: &str, detail: &str, at: Timestamp) -> Self {
        /// Enough for a person.
        const LONGEST: usize = 400;
        let detail = crate::log::one_line(detail);
        Self {
            numbers,
            reason: reason.to_owned(),
            detail: detail.chars().take(LONGEST).collect(),
            at,
            offer: None,
        }
    }

    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        (&self.reason, &self.detail, self.numbers) == (&other.reason, &other.detail, other.numbers)
    }
}
