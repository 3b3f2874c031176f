//! What a device says of itself now and then.

use serde::{Deserialize, Serialize};

use crate::{ConfigurationNumbers, DeviceId, Digest, HardwareIdentity, TenantId, Timestamp};

/// What a device last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whose it is.
    pub device: DeviceId,
    /// When it was written down. A device that keeps saying the same has been seen for up to
    /// [`DeviceReport::STALE_AFTER`] longer.
    pub seen_at: Timestamp,
    /// The agent's name and version.
    pub agent: Option<String>,
    /// SHA-256 of each root that it believes.
    pub roots: Vec<Digest>,
    /// The newest configuration statements that it has taken or refused.
    pub holds: ConfigurationNumbers,
    /// The newest configuration statements that it was offered.
    pub offered: ConfigurationNumbers,
    /// What configuration is in force on it.
    pub configuration: Option<ConfigurationReport>,
    /// The number of the last command that it has taken; 0 for none.
    pub last_command: u64,
    /// The hardware that it finds itself on, where that is another than it enrolled on.
    pub changed_hardware: Option<HardwareIdentity>,
}

/// What configuration is in force on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationReport {
    /// The statements that it came of; all 0 for the defaults alone.
    pub in_force: ConfigurationNumbers,
    /// The version of the schema in force.
    pub schema_version: u32,
    /// SHA-256 of the configuration in force, lowercase hexadecimal.
    pub digest: String,
    /// Since when, by the device's clock.
    pub since: Timestamp,
    /// Why it is in force: `applied`, `reset`, `rolled-back`.
    pub because: String,
    /// The newest statements that were not put into force, where there are such.
    pub refused: Option<ConfigurationRefusal>,
}

/// Configuration that a device has not put into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationRefusal {
    /// Which statements.
    pub numbers: ConfigurationNumbers,
    /// What is wrong: a slug.
    pub reason: String,
    /// The same in words.
    pub detail: String,
    /// When, by the device's clock.
    pub at: Timestamp,
}

impl DeviceReport {
    /// What nothing has changed in is written down again only after so many seconds, so that a fleet
    /// that has nothing to say costs the record little.
    pub const STALE_AFTER: std::time::Duration = std::time::Duration::from_secs(600);

    /// Whether `self` says anything that `before` did not, or `before` is too old to go by.
    pub fn is_news_after(&self, before: &Self) -> bool {
        let same = Self {
            seen_at: before.seen_at,
            ..self.clone()
        };
        same != *before || self.seen_at.since(before.seen_at) >= Self::STALE_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_again_is_news_only_after_a_while() {
        let before = DeviceReport {
            tenant: TenantId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            seen_at: Timestamp::from_secs(1_000),
            agent: None,
            roots: Vec::new(),
            holds: ConfigurationNumbers::default(),
            offered: ConfigurationNumbers::default(),
            configuration: None,
            last_command: 0,
            changed_hardware: None,
        };
        let mut again = before.clone();
        again.seen_at = Timestamp::from_secs(1_599);
        assert!(!again.is_news_after(&before));
        again.last_command = 1;
        assert!(again.is_news_after(&before));
        again.last_command = 0;
        again.seen_at = Timestamp::from_secs(1_600);
        assert!(again.is_news_after(&before));
    }
}
