//! The group that a command is about.

use enlist_core::Name;

/// `-g GROUP`.
#[derive(Clone, Debug, clap::Args)]
pub struct GroupArg {
    /// The group
    #[arg(short = 'g', long, value_name = "GROUP", default_value = "default")]
    pub group: Name,
}

/// `-g GROUP`, where leaving it out means all of them.
#[derive(Clone, Debug, clap::Args)]
pub struct AnyGroupArg {
    /// Only this group
    #[arg(short = 'g', long, value_name = "GROUP")]
    pub group: Option<Name>,
}

/// A device, by its name in its group.
#[derive(Clone, Debug, clap::Args)]
pub struct DeviceArg {
    /// The device's name
    #[arg(value_name = "NAME")]
    pub name: Name,
    #[command(flatten)]
    pub group: GroupArg,
}
