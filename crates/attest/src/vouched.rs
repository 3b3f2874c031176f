//! Evidence: an operator who loads the identity into the device.

use enlist_core::Operator;
use enlist_pki::PublicKey;

use crate::{Proof, Verified};

/// A key that the server made for a device that `by` will load it into.
pub fn pre_enrolled(key: PublicKey, by: &Operator) -> Verified {
    Verified::of_key(key, Proof::PreEnrollment(by.token))
}
