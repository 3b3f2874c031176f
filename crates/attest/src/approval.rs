//! Evidence: a person's yes.

use enlist_core::Operator;
use enlist_pki::Csr;

use crate::{Proof, Verified};

/// The application that `by` said yes to. Its secret was verified when it was made.
pub fn approved(csr: &Csr, by: &Operator) -> Verified {
    Verified::new(csr, Proof::Approval(by.token))
}
