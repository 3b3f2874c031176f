//! The short code by which a person matches a waiting device with its place in the queue.

use std::fmt;

use crate::Rng;

/// Six letters and digits that can't be taken for one another, such as `K7P-3QF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalCode(String);

impl ApprovalCode {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    /// Makes a new one.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 6];
        rng.fill(&mut bytes);
        let letters = bytes.map(|b| char::from(Self::ALPHABET[usize::from(b & 31)]));
        let (first, second) = letters.split_at(3);
        Self(first.iter().chain(&['-']).chain(second).collect())
    }

    /// Takes one that the store kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApprovalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
