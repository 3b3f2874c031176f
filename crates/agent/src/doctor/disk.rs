//! Whether there is room to write, and whether it can be written to at all.

use std::path::Path;

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use super::Finding;
use super::patient::Patient;

/// Enough for a renewal and a configuration.
const ENOUGH: u64 = 1024 * 1024;
/// Fewer files than that may not do for either.
const ENOUGH_FILES: u64 = 32;

pub(super) fn check(patient: &Patient) -> Finding {
    let directory = &patient.configuration.persistent_directory;
    // Before the first start it is not there.
    let Some(there) = directory.ancestors().find(|path| path.exists()) else {
        return Finding::failed(
            format!("{} can't be looked at", directory.display()),
            REMEDY,
        );
    };
    let place = there.display();
    let found = match statvfs(there) {
        Ok(found) => found,
        Err(why) => return Finding::failed(format!("{place}: {why}"), REMEDY),
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Finding::failed(format!("{place} is read-only"), REMEDY);
    }
    if !may_write(there) {
        return Finding::failed(
            format!("{place} can't be written to"),
            "run this as the user that the agent runs as, or give the directory to that user",
        );
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let scarce = found.f_files > 0 && found.f_favail < ENOUGH_FILES;
    if free < ENOUGH || scarce {
        return Finding::failed(
            format!("{place} is full: {} KiB are left", free / 1024),
            "make room; the agent goes on by itself",
        );
    }
    Finding::ok(format!("{place}: {} MiB are free", free / (1024 * 1024)))
}

const REMEDY: &str =
    "give persistent_directory a file system that can be written to and outlasts a restart";

fn may_write(path: &Path) -> bool {
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
