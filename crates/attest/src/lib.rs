//! Evidence in, a verified identity out.
//!
//! Verifying is pure: evidence, what is on record, and the time go in; a [`Verified`] or a
//! refusal comes out. `Verified` can be made nowhere else, and issuing takes nothing less.

mod approval;
mod attested;
mod idevid;
mod reenrollment;
mod renewal;
mod secret;
pub mod tpm;
mod verified;
mod vouched;

pub use approval::approved;
pub use attested::{Attested, Once};
pub use idevid::{Idevid, IdevidRefusal};
pub use renewal::{ByCertificate, ByToken, RenewalRefusal};
pub use secret::{BySecret, SecretEvidenceRefusal};
pub use verified::{Proof, Verified};
pub use vouched::pre_enrolled;
