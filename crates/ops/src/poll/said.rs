//! What a device says of itself, cut down to what is worth keeping.

use enlist_core::{ConfigurationNumbers, ConfigurationReport, Digest, HardwareIdentity};

/// Roots that are kept of one device.
const MOST_ROOTS: usize = 16;
/// Acknowledgements that are taken in one poll; the device repeats the others.
const MOST_ACKNOWLEDGED: usize = 100;
/// What is beyond it is no number that a server has given out; the store has signed numbers.
const MOST_NUMBER: u64 = i64::MAX.cast_unsigned();

/// What a device says of itself.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The agent's name and version.
    pub agent: Option<String>,
    /// SHA-256 of each root that it believes.
    pub roots: Vec<Digest>,
    /// The newest configuration statements that it has taken or refused.
    pub holds: ConfigurationNumbers,
    /// What configuration is in force.
    pub configuration: Option<ConfigurationReport>,
    /// The number of the last command that it has taken; 0 for none.
    pub last_command: u64,
    /// Commands that it has carried out, or failed to.
    pub acknowledged: Vec<Acknowledged>,
    /// Set where it finds itself on other hardware than it enrolled on.
    pub changed_hardware: Option<HardwareIdentity>,
}

/// What came of a command, by the device's account.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// The command's number.
    pub number: u64,
    /// Whether it was carried out.
    pub done: bool,
    /// Why not, or what is worth knowing.
    pub detail: Option<String>,
}

impl Said {
    /// A device has a few words, not a novel: what is too long is cut, so that one chatty field does not
    /// keep it from its orders.
    pub(super) fn bounded(mut self) -> Self {
        self.agent = self.agent.map(|agent| words(&agent, 100));
        self.last_command = self.last_command.min(MOST_NUMBER);
        let holds = &mut self.holds;
        for number in [&mut holds.schema, &mut holds.group, &mut holds.device] {
            *number = (*number).min(MOST_NUMBER);
        }
        self.roots.truncate(MOST_ROOTS);
        self.acknowledged.truncate(MOST_ACKNOWLEDGED);
        for one in &mut self.acknowledged {
            one.detail = one.detail.as_ref().map(|detail| words(detail, 256));
        }
        if let Some(report) = &mut self.configuration {
            report.digest = words(&report.digest, 64);
            report.because = words(&report.because, 32);
            if let Some(refused) = &mut report.refused {
                refused.reason = words(&refused.reason, 64);
                refused.detail = words(&refused.detail, 512);
            }
        }
        self
    }
}

/// At most `longest` characters of a text, on one line. A null character no database takes.
pub(crate) fn words(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(longest).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chatty_device_is_cut_short_and_not_refused() {
        let chatty = Said {
            agent: Some("a\0b\n".repeat(1_000)),
            roots: vec![Digest::of(b""); 1_000],
            acknowledged: vec![
                Acknowledged {
                    number: 1,
                    done: true,
                    detail: Some("ü".repeat(10_000)),
                };
                1_000
            ],
            ..Said::default()
        };
        let kept = chatty.bounded();
        assert_eq!(kept.agent.unwrap(), "a b ".repeat(25));
        assert_eq!(kept.roots.len(), MOST_ROOTS);
        assert_eq!(kept.acknowledged.len(), MOST_ACKNOWLEDGED);
        let detail = kept.acknowledged[0].detail.as_ref().unwrap();
        assert_eq!(detail.chars().count(), 256);
    }
}
