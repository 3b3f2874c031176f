//! What has to hold for any bytes that a stranger sends.
//!
//! Each function takes bytes as they come, says whether they were taken, and panics where something is
//! wrong with how they were read: what is read and written again must read the same, and what
//! verifies must have been signed.

mod audit;
mod certificate_chain;
mod cms;
mod crl;
mod csr;
mod est_body;
mod hook_answer;
mod manifest;
mod ocsp_request;
mod tpm;

pub use audit::audit;
pub use certificate_chain::certificate_chain;
pub use cms::cms;
pub use crl::crl;
pub use csr::csr;
pub use est_body::est_body;
pub use hook_answer::hook_answer;
pub use manifest::manifest;
pub use ocsp_request::ocsp_request;
pub use tpm::tpm;

/// Looks at bytes as at one kind of message.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 10] = [
    ("audit", audit),
    ("certificate_chain", certificate_chain),
    ("cms", cms),
    ("crl", crl),
    ("csr", csr),
    ("est_body", est_body),
    ("hook_answer", hook_answer),
    ("manifest", manifest),
    ("ocsp_request", ocsp_request),
    ("tpm", tpm),
];
