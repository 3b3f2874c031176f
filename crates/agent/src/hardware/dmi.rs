//! The DMI table of PC-like firmware. Serial number and UUID are readable by root alone.

use std::path::Path;

use super::{NotFound, read_file};

pub(super) fn serial(root: &Path) -> Result<String, NotFound> {
    read_file(&root.join("sys/class/dmi/id/product_serial"))
}

pub(super) fn uuid(root: &Path) -> Result<String, NotFound> {
    read_file(&root.join("sys/class/dmi/id/product_uuid"))
}
