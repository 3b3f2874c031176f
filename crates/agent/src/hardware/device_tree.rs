//! The device tree, which boot loaders of single-board computers hand over.

use std::path::Path;

use super::{NotFound, read_file};

pub(super) fn serial(root: &Path) -> Result<String, NotFound> {
    // The first is a link to the second on most systems, but needs /proc.
    match read_file(&root.join("proc/device-tree/serial-number")) {
        Err(NotFound::Absent) => {
            read_file(&root.join("sys/firmware/devicetree/base/serial-number"))
        }
        found => found,
    }
}
