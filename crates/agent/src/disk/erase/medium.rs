//! What file systems of Linux can do beyond writing.

use std::fs::File;
use std::os::fd::BorrowedFd;

use rustix::fs::{FallocateFlags, IFlags, fallocate, ioctl_getflags, ioctl_setflags};

/// Tells the medium that it may forget the blocks. Many can't, which is nothing to report.
pub(super) fn forget(file: &File, len: u64) {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let _ = fallocate(file, flags, 0, len.max(1));
}

/// Takes the marks away that keep even root from changing a file.
pub(super) fn make_changeable(fd: BorrowedFd<'_>) {
    let locked = IFlags::IMMUTABLE | IFlags::APPEND;
    if let Ok(flags) = ioctl_getflags(fd)
        && flags.intersects(locked)
    {
        let _ = ioctl_setflags(fd, flags - locked);
    }
}
