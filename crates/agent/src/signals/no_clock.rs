use std::io;
use std::sync::mpsc::Sender;

use super::Wish;

/// Elsewhere than on Linux the kernel says nothing of it, and the clock is looked at from time to time.
///
/// # Errors
/// Always.
pub(super) fn listen(_: &Sender<Wish>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
