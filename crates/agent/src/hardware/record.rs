use std::path::Path;

use enlist_core::{HardwareIdentity, HardwareKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Source, mac, read, survey};

/// The hardware that a device enrolled on: `identity.json`, written once.
///
/// It is compared with what the hardware says at every start. What the configuration names decides where
/// it named something then and does now. Otherwise the best source decides that spoke then and speaks
/// now; for network cards it is enough that the card is still there. A source that is gone is no change:
/// firmware tables may be for root alone, cards are pulled out. The id of the installation and a random
/// identity decide nothing, since they travel with the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The identity that was claimed; `None` where there was nothing to claim.
    pub hardware: Option<HardwareIdentity>,
    /// What each source said.
    pub found: Vec<Found>,
    /// When it was written, by the device's clock.
    pub at: Timestamp,
}

/// What one source said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The source.
    pub source: Source,
    /// What it said.
    pub value: String,
}

/// Hardware that is another one than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What it was.
    pub was: HardwareIdentity,
    /// What it is.
    pub is: HardwareIdentity,
}

/// A record that can't be compared with.
#[derive(Debug, thiserror::Error)]
pub enum UnknownRecord {
    /// Written by a later agent.
    #[error("identity.json is of version {0}, which this agent does not know")]
    Version(u32),
    /// Not what an agent writes.
    #[error("identity.json is damaged")]
    Damaged(#[source] serde_json::Error),
}

const VERSION: u32 = 1;

impl Record {
    /// What there is to say of this hardware. `root` is `/`; `used` is the identity that is claimed.
    #[must_use]
    pub fn of(root: &Path, used: Option<HardwareIdentity>, at: Timestamp) -> Self {
        let said = |found: super::Finding| {
            let value = found.identity.ok()?.value().to_owned();
            let source = found.source;
            Some(Found { source, value })
        };
        Self {
            version: VERSION,
            hardware: used,
            found: survey(root).into_iter().filter_map(said).collect(),
            at,
        }
    }

    /// How this hardware differs from the recorded one; `None` where it does not. `used` is the identity
    /// that is claimed now.
    #[must_use]
    pub fn changed(&self, root: &Path, used: Option<&HardwareIdentity>) -> Option<Changed> {
        let is_named = |one: &&HardwareIdentity| one.kind() == HardwareKind::Named;
        let was = self.hardware.as_ref().filter(is_named);
        if let (Some(was), Some(is)) = (was, used.filter(is_named)) {
            return (was != is).then(|| Changed {
                was: was.clone(),
                is: is.clone(),
            });
        }
        let speaking = self.found.iter().find_map(|found| {
            let stays = found.source == Source::MachineId;
            let is = read(root, found.source).ok().filter(|_| !stays)?;
            Some((found, is))
        });
        let (found, is) = speaking?;
        let still_there = found.source == Source::Mac && mac::is_there(root, &found.value);
        if still_there || is.value() == found.value {
            return None;
        }
        let was = HardwareIdentity::new(found.source.kind(), &found.value).ok()?;
        Some(Changed { was, is })
    }

    /// The identity under which the device is on record, where `found` is that one, as it was taken then.
    /// Earlier agents took `serial:SN-17` in the configuration for a name, and the server knows the device
    /// by it.
    #[must_use]
    pub fn as_before(&self, found: HardwareIdentity) -> HardwareIdentity {
        let was = self.hardware.as_ref();
        let is_that = |was: &&HardwareIdentity| {
            was.kind() == HardwareKind::Named && was.value().parse().as_ref() == Ok(&found)
        };
        was.filter(is_that).cloned().unwrap_or(found)
    }

    /// The record as it is written: JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a record is texts and numbers");
        json.push(b'\n');
        json
    }

    /// Reads what [`Record::to_json`] wrote.
    ///
    /// # Errors
    /// It is damaged, or of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, UnknownRecord> {
        let record: Self = serde_json::from_slice(json).map_err(UnknownRecord::Damaged)?;
        match record.version {
            VERSION => Ok(record),
            other => Err(UnknownRecord::Version(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    fn card<'a>(name: &'a str, address: &'a str) -> [(String, &'a str); 2] {
        let at = |file| format!("sys/class/net/{name}/{file}");
        [(at("addr_assign_type"), "0\n"), (at("address"), address)]
    }

    fn with_cards(cards: &[(&str, &str)]) -> tempfile::TempDir {
        let files: Vec<_> = cards.iter().flat_map(|(n, a)| card(n, a)).collect();
        let files: Vec<_> = files.iter().map(|(p, c)| (p.as_str(), *c)).collect();
        board(&files)
    }

    fn record(root: &tempfile::TempDir) -> Record {
        let used = super::super::identity(root.path(), None).unwrap();
        Record::of(root.path(), used, Timestamp::from_secs(1))
    }

    fn differs(record: &Record, root: &tempfile::TempDir) -> bool {
        let used = super::super::identity(root.path(), None).unwrap();
        record.changed(root.path(), used.as_ref()).is_some()
    }

    const SERIAL: &str = "proc/device-tree/serial-number";
    const MACHINE: &str = "etc/machine-id";

    #[test]
    fn another_board_is_noticed_and_the_same_one_is_not() {
        let first = board(&[
            (SERIAL, "1000"),
            (MACHINE, "8b1a9953c4611296a827abf8c47804d7"),
        ]);
        let second = board(&[
            (SERIAL, "2000"),
            (MACHINE, "8b1a9953c4611296a827abf8c47804d7"),
        ]);
        let record = Record::from_json(&record(&first).to_json()).unwrap();
        assert!(!differs(&record, &first));
        assert!(differs(&record, &second));
    }

    #[test]
    fn a_source_that_is_gone_is_no_change() {
        let first = board(&[(SERIAL, "1000"), ("sys/devices/soc0/serial_number", "0x1f")]);
        let record = record(&first);
        assert!(!differs(&record, &board(&[])));
        assert!(!differs(
            &record,
            &board(&[("sys/devices/soc0/serial_number", "0x1f")])
        ));
        assert!(differs(
            &record,
            &board(&[("sys/devices/soc0/serial_number", "0x2f")])
        ));
    }

    #[test]
    fn a_card_that_is_added_is_no_change_and_one_that_is_swapped_is() {
        let record = record(&with_cards(&[("eth0", "00:00:5e:00:53:09")]));
        let more = [("eth0", "00:00:5e:00:53:09"), ("eth1", "00:00:5e:00:53:01")];
        assert!(!differs(&record, &with_cards(&more)));
        assert!(differs(
            &record,
            &with_cards(&[("eth0", "00:00:5e:00:53:02")])
        ));
    }

    #[test]
    fn the_installations_id_decides_nothing() {
        let first = board(&[(MACHINE, "8b1a9953c4611296a827abf8c47804d7")]);
        let second = board(&[(MACHINE, "7b1a9953c4611296a827abf8c47804d7")]);
        assert!(!differs(&record(&first), &second));
    }
}
