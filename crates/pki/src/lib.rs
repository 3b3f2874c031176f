//! X.509: bytes to types and back.
//!
//! What is read here comes from strangers: DER is taken strictly, sizes are bounded, and
//! a key reaches the rest of the program only as a [`PublicKey`], which has passed our
//! rules. What is written here is signed by a [`Signer`], which need not be able to
//! export its key. Times are whole seconds since 1970-01-01T00:00:00Z.
//!
//! This crate holds no private key and makes no policy: what goes into a certificate is
//! the business of `enlist-ca`, where keys live that of `enlist-keys`.

mod algorithm;
pub mod certificate;
pub mod cms;
pub mod crl;
pub mod csr;
mod decode;
mod encode;
mod extension;
mod issue;
mod key;
pub mod manufacturer;
mod name;
pub mod ocsp;
pub mod oid;
pub mod path;
mod pem;
mod signed;
mod signer;
mod subject;
mod time;

pub use algorithm::SignatureScheme;
pub use certificate::{Certificate, CertificateError, chain_from_der, chain_from_pem};
pub use crl::{Crl, CrlEntry, CrlError, CrlReason, CrlSpec, RevokedEntry, sign_crl};
pub use csr::{Csr, CsrError, Requested};
pub use encode::EncodeError;
pub use extension::{Extension, KeyPurpose, KeyUse};
pub use issue::{CertificateSpec, IssueError, sign_certificate};
pub use key::{BadSignature, KeyError, KeyKind, PublicKey};
pub use name::{Attribute, DistinguishedName};
pub use ocsp::{
    CertId, CertStatus, DigestKind, IssuerHash, OcspAnswer, OcspError, OcspRequest,
    OcspRequestError, SingleAnswer, ocsp_error, sign_ocsp,
};
pub use oid::{Oid, SERVER_POLICY_OID};
pub use path::{Anchors, ChainError, Usage};
pub use pem::{PemError, certificate_pem, pem_block};
pub use signer::{SignError, Signer};
pub use subject::SubjectName;
