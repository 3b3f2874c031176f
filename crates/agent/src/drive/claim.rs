use std::path::Path;

use enlist_core::{HardwareIdentity, Rng};
use enlist_wire::{Hardware, HardwareKind};

use super::hardware::on_record;
use crate::config::Configuration;
use crate::disk::{Disk, Vault};
use crate::drive::OpenError;
use crate::hardware;

/// What a device says about itself when it enrolls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// The name it asks for; without one, the server goes by the hardware.
    pub(super) name: Option<String>,
    /// The hardware it claims to be.
    pub(super) hardware: Option<Hardware>,
}

impl Claim {
    /// What a device on this hardware says of itself.
    pub(super) fn of(configuration: &Configuration, hardware: Option<&HardwareIdentity>) -> Self {
        let named = configuration.name.as_ref().map(ToString::to_string);
        Self {
            name: named.or_else(|| name(configuration, hardware?)),
            hardware: hardware.map(on_the_wire),
        }
    }
}

/// The hardware that this device claims to be: the one that the configuration asks for, or the first that
/// is found, or a random one, which is made now and kept.
pub(super) fn claimed<D: Disk>(
    configuration: &Configuration,
    root: &Path,
    vault: &mut Vault<D>,
    rng: &dyn Rng,
) -> Result<HardwareIdentity, OpenError> {
    Ok(
        match hardware::identity(root, configuration.hardware.as_ref())? {
            Some(found) => on_record(vault, found),
            None => vault.make_hardware_id(rng)?,
        },
    )
}

/// As it goes over the wire.
pub(super) fn on_the_wire(hardware: &HardwareIdentity) -> Hardware {
    Hardware {
        kind: wire_kind(hardware),
        value: hardware.value().to_owned(),
    }
}

/// The name to ask for, as the configuration has it.
pub(crate) fn name(configuration: &Configuration, hardware: &HardwareIdentity) -> Option<String> {
    match (&configuration.name, &configuration.name_prefix) {
        (Some(name), _) => Some(name.to_string()),
        (None, Some(prefix)) => Some(format!("{prefix}-{}", hardware.short())),
        (None, None) => None,
    }
}

fn wire_kind(hardware: &HardwareIdentity) -> HardwareKind {
    use enlist_core::HardwareKind as Core;
    match hardware.kind() {
        Core::Serial => HardwareKind::Serial,
        Core::Uuid => HardwareKind::Uuid,
        Core::Soc => HardwareKind::Soc,
        Core::Mac => HardwareKind::Mac,
        Core::Machine => HardwareKind::Machine,
        Core::Random => HardwareKind::Random,
        Core::Named => HardwareKind::Named,
        Core::TpmEk => HardwareKind::TpmEk,
        Core::Idevid => HardwareKind::Idevid,
    }
}
