//! The system on a chip.

use std::path::Path;

use super::{NotFound, read_file};

/// The serial number. `soc_id` names the model and not the chip, so it is no identity.
pub(super) fn serial(root: &Path) -> Result<String, NotFound> {
    read_file(&root.join("sys/devices/soc0/serial_number"))
}
