//! `enlist identity`: the identity file of a device.

use std::path::PathBuf;

use enlist_core::Name;

use crate::cli::Global;
use crate::device_file::{DeviceFile, Place, pre_enroll};
use crate::group_arg::GroupArg;
use crate::say::say;

/// Write the identity file of a device, to be loaded at the factory
///
/// The device is created if it is not there; its id, token, certificate and key are made ahead. A
/// configuration file that many devices share names the identity file as `identity_path`. The device
/// takes a key of its own at its first start.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Identity {
    /// The device's name
    #[arg(long, value_name = "NAME")]
    device_name: Name,
    /// Make the identity ahead of the first start
    #[arg(long, required = true)]
    pre_enroll: bool,
    #[command(flatten)]
    group: GroupArg,
    /// Hours that the first certificate is to last [default: the group's]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: Option<u32>,
    /// The file to write, readable by its owner alone
    #[arg(long, value_name = "FILE", default_value = "identity.json")]
    identity_path: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist identity --device-name=press-7 --pre-enroll
  enlist identity --device-name=press-7 --pre-enroll -g presses --identity-path press-7.json";

impl Identity {
    /// Writes the file.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (group, name) = (&self.group.group, &self.device_name);
        let place = Place::take(&self.identity_path, self.force)?;
        let quadruple = pre_enroll(&client, &tenant, group, name, self.ttl)?;
        let mut file = DeviceFile::new(&tenant, group);
        file.name = Some(name.clone());
        place.write(&file.with_identity(quadruple))?;
        say!(
            "`{}` is the identity of device `{name}` in group `{group}`.",
            self.identity_path.display()
        );
        Ok(())
    }
}
