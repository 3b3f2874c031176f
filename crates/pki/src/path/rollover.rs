//! One root vouching for the next.

use super::{Anchors, ChainError, holds_at, verify_issued};
use crate::certificate::{Certificate, CertificateError};
use crate::encode;
use crate::key::PublicKey;

/// Verifies that one of the roots that are `held` vouches for `root`, so that it can be believed from
/// now on like them. `cross` is the voucher: name and key of `root`, signed by the held root itself.
///
/// `root` has to have signed itself, both have to be good for CAs below them, and both have to be valid
/// at `at` (unix seconds).
///
/// # Errors
/// Says what does not hold. `root` must not be believed then.
pub fn takes_root(
    root: &Certificate,
    cross: &Certificate,
    held: &Anchors,
    at: i64,
) -> Result<(), ChainError> {
    verify_issued(root, root, at)?;
    let same_name = cross.subject_der() == root.subject_der();
    let same_key = cross.spki_der() == root.spki_der();
    // A CA that stands under the held root has a certificate by it as well, for its own name and key: it
    // is held down by its path length, and with that by nothing else, since it can sign itself.
    let unbounded = root.certifies_cas() && cross.certifies_cas();
    if !same_name || !same_key || !unbounded {
        return Err(ChainError::UntrustedIssuer);
    }
    signed_by_one_of(cross, held)?;
    holds_at(cross, at)
}

/// A path would do for certificates; a root comes from a root and from nothing in between, or the
/// holder of any issuing CA could make one.
fn signed_by_one_of(cross: &Certificate, held: &Anchors) -> Result<(), ChainError> {
    let mut refusal = ChainError::UntrustedIssuer;
    for anchor in &held.0 {
        let named = element(&anchor.subject)? == cross.issuer_der();
        // What a constrained root may vouch for is more than is decided here.
        if !named || anchor.name_constraints.is_some() {
            continue;
        }
        let key = match PublicKey::from_spki_der(&element(&anchor.subject_public_key_info)?) {
            Ok(key) => key,
            Err(error) => {
                refusal = error.into();
                continue;
            }
        };
        match cross.verify_signature(&key) {
            Some(Ok(())) => return Ok(()),
            Some(Err(wrong)) => refusal = wrong.into(),
            None => refusal = ChainError::UnsupportedSignature,
        }
    }
    Err(refusal)
}

/// An anchor keeps what stands inside its fields.
fn element(inside: &[u8]) -> Result<Vec<u8>, ChainError> {
    encode::sequence(&[inside]).map_err(|error| CertificateError::from(error).into())
}
