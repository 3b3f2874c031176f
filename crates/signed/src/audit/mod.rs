//! A tenant's record of events, as auditors take it away and verify it where no server is.
//!
//! It is lines of JSON ([`Line`]): the events, each with its place in the chain, signed heads between
//! them, and one at the end. [`Verifier`] walks them, and keeps none.

mod expected;
mod finding;
mod line;
mod verifier;

pub use finding::Finding;
pub use line::{Broken, Line, Place, Sealed};
pub use verifier::{LATE, Newest, Verified, Verifier};
