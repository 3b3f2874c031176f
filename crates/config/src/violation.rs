use std::fmt;

use serde::Serialize;

/// What is wrong with one value. It never holds the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901); empty for the configuration as a whole. It ends at a secret,
    /// whatever lies below that.
    pub pointer: String,
    /// What is wrong, as what goes after the name of the field: `must be at most 10`.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, message } = self;
        match pointer.as_str() {
            "" => write!(f, "the configuration {message}"),
            pointer => write!(f, "{pointer} {message}"),
        }
    }
}
