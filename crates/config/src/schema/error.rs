/// Why a schema is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if .pointer.is_empty() { "the schema" } else { .pointer })]
pub struct SchemaError {
    /// Where in the schema, as a JSON pointer (RFC 6901); empty for the schema as a whole.
    pub pointer: String,
    /// What is wrong there, and what to write.
    pub message: String,
}

impl SchemaError {
    pub(super) fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.into(),
        }
    }
}
