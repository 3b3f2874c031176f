use std::io;

use super::Said;
use crate::config::Button;

/// A button that is being watched: there is none, elsewhere than on Linux.
#[derive(Debug)]
pub struct Watch(());

impl Watch {
    /// Would watch `button`.
    ///
    /// # Errors
    /// Always.
    pub fn new(_: Button, _: impl Fn(Said) + Send + 'static) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system has no buttons that the agent knows of; Linux has (GPIO lines, input devices)",
        ))
    }
}
