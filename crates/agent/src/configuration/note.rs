use std::fmt;

use super::record::{Because, InForce, Refusal};

/// What is worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    words: String,
    trouble: bool,
}

impl Note {
    /// Whether something is not as it should be.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        self.trouble
    }

    pub(super) fn in_force(now: &InForce, who: &str) -> Self {
        let what = match now.because {
            Because::Applied => "a new configuration is in force",
            Because::Reset => "the configuration is back at its defaults",
            Because::RolledBack => "an earlier configuration is in force",
        };
        let numbers = now.numbers;
        Self::good(format!(
            "{what}: schema {} (version {}), group {}, device {}; {who}",
            numbers.schema, now.schema_version, numbers.group, numbers.device
        ))
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        let Refusal { reason, detail, .. } = refusal;
        Self::bad(format!(
            "a configuration was refused ({reason}): {detail}; the one before stays in force"
        ))
    }

    pub(super) fn good(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            trouble: false,
        }
    }

    pub(super) fn bad(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            trouble: true,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
