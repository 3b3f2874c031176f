//! A device without a token, as the columns have it that are never null.

use enlist_core::Digest;

/// No text hashes to this.
const NONE: Digest = Digest::from_bytes([0; 32]);

/// What is written for a device's token.
pub(super) fn written(token: Option<Digest>) -> Digest {
    token.unwrap_or(NONE)
}

/// What a column says of a device's token.
pub(super) fn read(column: Digest) -> Option<Digest> {
    (column != NONE).then_some(column)
}
