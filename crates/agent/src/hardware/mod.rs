//! What the device can say about its hardware: one source a file, tried in a fixed order.
//!
//! All of it is a claim. Placeholders that vendors leave behind count as nothing. Where nothing is
//! left, a random identity is made once and kept (see [`crate::drive`]).

mod device_tree;
mod dmi;
mod mac;
mod machine_id;
mod record;
mod soc;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use enlist_core::{HardwareIdentity, HardwareKind, NotAnIdentity};
use serde::{Deserialize, Serialize};

use crate::config::HardwareSource;

pub use record::{Changed, Found, Record, UnknownRecord};

/// A place where a hardware identity may be read, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The serial number in the firmware's DMI table.
    DmiSerial,
    /// The product's UUID in the firmware's DMI table.
    DmiUuid,
    /// The serial number in the device tree.
    DeviceTree,
    /// The serial number of the system on a chip.
    Soc,
    /// The permanent address of a network card.
    Mac,
    /// The id of the installation, hashed.
    MachineId,
}

impl Source {
    /// Every source, best first.
    pub const ALL: [Self; 6] = [
        Self::DmiSerial,
        Self::DmiUuid,
        Self::DeviceTree,
        Self::Soc,
        Self::Mac,
        Self::MachineId,
    ];

    /// The kind of identity that this source gives.
    #[must_use]
    pub fn kind(self) -> HardwareKind {
        match self {
            Self::DmiSerial | Self::DeviceTree => HardwareKind::Serial,
            Self::DmiUuid => HardwareKind::Uuid,
            Self::Soc => HardwareKind::Soc,
            Self::Mac => HardwareKind::Mac,
            Self::MachineId => HardwareKind::Machine,
        }
    }

    fn read(self, root: &Path) -> Result<String, NotFound> {
        match self {
            Self::DmiSerial => dmi::serial(root),
            Self::DmiUuid => dmi::uuid(root),
            Self::DeviceTree => device_tree::serial(root),
            Self::Soc => soc::serial(root),
            Self::Mac => mac::lowest(root),
            Self::MachineId => machine_id::hashed(root),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DmiSerial => "dmi-serial",
            Self::DmiUuid => "dmi-uuid",
            Self::DeviceTree => "device-tree",
            Self::Soc => "soc",
            Self::Mac => "mac",
            Self::MachineId => "machine-id",
        })
    }
}

/// Why a source gives no identity.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The device has no such source.
    #[error("not there")]
    Absent,
    /// It can't be read; some sources are for root alone.
    #[error("can't read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was read identifies nothing.
    #[error(transparent)]
    Meaningless(#[from] NotAnIdentity),
}

/// What one source says.
#[derive(Debug)]
pub struct Finding {
    /// The source.
    pub source: Source,
    /// The identity it gives, or why it gives none.
    pub identity: Result<HardwareIdentity, NotFound>,
}

/// What every source says, best first. `root` is `/`, or a directory that looks like it.
#[must_use]
pub fn survey(root: &Path) -> Vec<Finding> {
    Source::ALL
        .into_iter()
        .map(|source| Finding {
            source,
            identity: read(root, source),
        })
        .collect()
}

/// What this source says.
pub fn read(root: &Path, source: Source) -> Result<HardwareIdentity, NotFound> {
    Ok(HardwareIdentity::new(source.kind(), &source.read(root)?)?)
}

/// The hardware identity that the configuration asks for; without any wish, the first that is found.
/// `None` when there is none to be found. What the configuration names must be there.
pub fn identity(
    root: &Path,
    wish: Option<&HardwareSource>,
) -> Result<Option<HardwareIdentity>, NotFound> {
    match wish {
        None => Ok(Source::ALL
            .into_iter()
            .find_map(|source| read(root, source).ok())),
        Some(HardwareSource::Value(value)) => Ok(Some(written(value)?)),
        Some(HardwareSource::File(from)) => Ok(Some(written(&read_file(&from.file)?)?)),
        Some(HardwareSource::Source(from)) => read(root, from.source).map(Some),
    }
}

/// An identity as somebody wrote it: `serial:SN-17` with its kind in front, or else a name.
pub(crate) fn written(text: &str) -> Result<HardwareIdentity, NotAnIdentity> {
    let kind = text.trim().split_once(':').map(|(kind, _)| kind.parse());
    match kind {
        Some(Ok(HardwareKind::TpmEk | HardwareKind::Idevid)) => Err(NotAnIdentity::Claimed),
        Some(Ok(_)) => text.trim().parse(),
        _ => HardwareIdentity::new(HardwareKind::Named, text),
    }
}

/// The text of a small file, cut off after what no identity is longer than.
fn read_file(path: &Path) -> Result<String, NotFound> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => NotFound::Absent,
        _ => NotFound::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .map_err(failed)?
        .take(4096)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that looks like the root of a device.
    struct Root(tempfile::TempDir);

    impl Root {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn with(self, path: &str, content: &str) -> Self {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
            self
        }

        fn identity(&self) -> Option<String> {
            identity(self.0.path(), None)
                .unwrap()
                .map(|id| id.to_string())
        }
    }

    #[test]
    fn the_best_source_wins() {
        let root = Root::new().with("etc/machine-id", "8b1a9953c4611296a827abf8c47804d7\n");
        let machine = root.identity().unwrap();
        assert!(machine.starts_with("machine:"), "{machine}");
        assert!(
            !machine.contains("8b1a9953"),
            "the machine id stays private"
        );

        let root = root
            .with("sys/class/net/eth0/addr_assign_type", "0\n")
            .with("sys/class/net/eth0/address", "00:00:5E:00:53:01\n");
        assert_eq!(root.identity().unwrap(), "mac:00:00:5e:00:53:01");

        let root = root.with("sys/devices/soc0/serial_number", "0x1f2e3d\n");
        assert_eq!(root.identity().unwrap(), "soc:0x1f2e3d");

        let root = root.with("proc/device-tree/serial-number", "10000000a1b2c3d4\0");
        assert_eq!(root.identity().unwrap(), "serial:10000000a1b2c3d4");

        let root = root.with(
            "sys/class/dmi/id/product_uuid",
            "4C4C4544-0042-3510-8052-B4C04F4E4D32\n",
        );
        assert_eq!(
            root.identity().unwrap(),
            "uuid:4c4c4544-0042-3510-8052-b4c04f4e4d32"
        );

        let root = root.with("sys/class/dmi/id/product_serial", "PC0A1B2C\n");
        assert_eq!(root.identity().unwrap(), "serial:PC0A1B2C");
    }

    #[test]
    fn placeholders_count_as_nothing() {
        let root = Root::new()
            .with(
                "sys/class/dmi/id/product_serial",
                "To be filled by O.E.M.\n",
            )
            .with(
                "sys/class/dmi/id/product_uuid",
                "00000000-0000-0000-0000-000000000000\n",
            );
        assert_eq!(root.identity(), None);
        let findings = survey(root.0.path());
        assert!(matches!(
            findings[0].identity,
            Err(NotFound::Meaningless(_))
        ));
        assert!(matches!(findings[2].identity, Err(NotFound::Absent)));
    }

    #[test]
    fn virtual_cards_are_passed_over_and_the_lowest_address_is_taken() {
        let root = Root::new()
            .with("sys/class/net/lo/addr_assign_type", "0\n")
            .with("sys/class/net/lo/address", "00:00:00:00:00:00\n")
            .with("sys/class/net/veth0/addr_assign_type", "3\n")
            .with("sys/class/net/veth0/address", "00:00:5e:00:53:00\n")
            .with("sys/class/net/eth1/addr_assign_type", "0\n")
            .with("sys/class/net/eth1/address", "00:00:5e:00:53:09\n")
            .with("sys/class/net/eth0/addr_assign_type", "0\n")
            .with("sys/class/net/eth0/address", "00:00:5e:00:53:0a\n");
        assert_eq!(root.identity().unwrap(), "mac:00:00:5e:00:53:09");
    }

    #[test]
    fn what_the_configuration_names_must_be_there() {
        let root = Root::new().with("etc/serial", "A-1001\n");
        let wish = |json: &str| serde_json::from_str::<HardwareSource>(json).unwrap();
        let found = |wish| identity(root.0.path(), Some(&wish));

        let value = found(wish("\"press-7\"")).unwrap().unwrap();
        assert_eq!(value.to_string(), "named:press-7");

        let file = root.0.path().join("etc/serial");
        let file = wish(&serde_json::json!({ "file": file }).to_string());
        assert_eq!(found(file).unwrap().unwrap().to_string(), "named:A-1001");

        for (text, identity) in [
            ("serial:SN-17", "serial:SN-17"),
            ("mac:00-00-5E-00-53-01", "mac:00:00:5e:00:53:01"),
            ("named:press-7", "named:press-7"),
            ("line:7", "named:line:7"),
        ] {
            let value = found(wish(&format!("\"{text}\""))).unwrap().unwrap();
            assert_eq!(value.to_string(), identity);
        }
        // What only hardware can prove is nobody's to write down.
        assert!(found(wish("\"idevid:ACME/17\"")).is_err());

        assert!(found(wish(r#"{"source":"soc"}"#)).is_err());
        assert!(found(wish(r#"{"file":"/does/not/exist"}"#)).is_err());
        assert!(found(wish("\"none\"")).is_err());
    }
}
