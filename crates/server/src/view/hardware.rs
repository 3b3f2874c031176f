use enlist_core::{HardwareIdentity, HardwareKind, NotAnIdentity};
use enlist_wire as wire;

pub(super) fn hardware(hardware: &HardwareIdentity) -> wire::Hardware {
    wire::Hardware {
        kind: match hardware.kind() {
            HardwareKind::Serial => wire::HardwareKind::Serial,
            HardwareKind::Uuid => wire::HardwareKind::Uuid,
            HardwareKind::Soc => wire::HardwareKind::Soc,
            HardwareKind::Mac => wire::HardwareKind::Mac,
            HardwareKind::Machine => wire::HardwareKind::Machine,
            HardwareKind::Random => wire::HardwareKind::Random,
            HardwareKind::Named => wire::HardwareKind::Named,
            HardwareKind::TpmEk => wire::HardwareKind::TpmEk,
            HardwareKind::Idevid => wire::HardwareKind::Idevid,
        },
        value: hardware.value().to_owned(),
    }
}

pub(crate) fn hardware_claimed(
    hardware: &wire::Hardware,
) -> Result<HardwareIdentity, NotAnIdentity> {
    let kind = match hardware.kind {
        wire::HardwareKind::Serial => HardwareKind::Serial,
        wire::HardwareKind::Uuid => HardwareKind::Uuid,
        wire::HardwareKind::Soc => HardwareKind::Soc,
        wire::HardwareKind::Mac => HardwareKind::Mac,
        wire::HardwareKind::Machine => HardwareKind::Machine,
        wire::HardwareKind::Random => HardwareKind::Random,
        wire::HardwareKind::Named => HardwareKind::Named,
        wire::HardwareKind::TpmEk => HardwareKind::TpmEk,
        wire::HardwareKind::Idevid => HardwareKind::Idevid,
    };
    HardwareIdentity::new(kind, &hardware.value)
}
