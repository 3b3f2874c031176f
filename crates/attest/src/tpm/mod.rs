//! Evidence: a TPM 2.0.
//!
//! What a device brings, and what each part of it proves:
//! - the **endorsement key** (EK) is the TPM's identity. Its manufacturer has certified it, or somebody
//!   has written its digest into a manifest. It decrypts, and signs nothing.
//! - the **attestation key** (AK) signs only what the TPM says itself (restricted). That it is in the
//!   same TPM as the EK, credential activation proves: a secret that [`Endorsed::credential`] encrypts
//!   for the EK is given out only where an object of the AK's name is loaded.
//! - `TPM2_Certify` of the **device's key** by the AK proves that the key is in the same TPM, was made
//!   there, and can't leave it.
//!
//! Structures are those of the TPM 2.0 Library Specification, Part 2; they are read strictly, and
//! nothing here needs a TPM. Whoever makes the challenge has to check that it was answered (the
//! secret), and that no other answer to it counts: here only what is bound to it is verified.

mod certify;
mod credential;
mod evidence;
mod hash;
mod keys;
mod public;
mod reader;
mod refusal;
mod signature;

pub use credential::Credential;
pub use evidence::{Endorsed, TpmEndorsement, TpmEvidence};
pub use reader::Unreadable;
pub use refusal::{Attribute, TpmKey, TpmRefusal};
