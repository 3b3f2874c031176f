//! Paths: from a certificate to something we trust (RFC 5280 section 6).
//!
//! Pure: what is presented, whom to trust and the time come in, a verdict goes out.
//! Revocation is not looked at; whoever needs it asks the store.

mod anchors;
mod error;
mod rollover;
mod server;

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use crate::certificate::Certificate;

pub use anchors::Anchors;
pub use error::ChainError;
pub use rollover::takes_root;
pub use server::{ServerTrust, latest_not_before, verify_server};

/// What the certificates of a path must be good for, where they say so (extKeyUsage).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// serverAuth.
    Server,
    /// clientAuth.
    Client,
    /// Whatever it says, or nothing: device identities of manufacturers (IEEE 802.1AR)
    /// often leave it out.
    Any,
}

/// Verifies that `leaf` chains to one of `anchors` through some of `intermediates`, all
/// of them valid at `now` (unix seconds).
///
/// # Errors
/// Says what stands between the two.
pub fn verify(
    leaf: &[u8],
    intermediates: &[CertificateDer<'_>],
    anchors: &Anchors,
    now: i64,
    usage: Usage,
) -> Result<(), ChainError> {
    build(leaf, intermediates, anchors, now, usage, None)
}

/// Verifies that `issuer` itself issued `certificate`, and that both are valid at `now`
/// (unix seconds). Whether the issuer is to be believed is another question.
///
/// # Errors
/// Says what does not fit.
pub fn verify_issued(
    certificate: &Certificate,
    issuer: &Certificate,
    now: i64,
) -> Result<(), ChainError> {
    let named = certificate.issuer_der() == issuer.subject_der();
    if !named || !certificate.is_identified(issuer) || !issuer.is_ca() {
        return Err(ChainError::UntrustedIssuer);
    }
    certificate
        .verify_signature(&issuer.public_key()?)
        .ok_or(ChainError::UnsupportedSignature)??;
    holds_at(certificate, now)?;
    holds_at(issuer, now)
}

fn holds_at(certificate: &Certificate, now: i64) -> Result<(), ChainError> {
    if now < certificate.not_before() {
        return Err(ChainError::NotYetValid);
    }
    if now > certificate.not_after() {
        return Err(ChainError::Expired);
    }
    Ok(())
}

/// Verifies that each certificate of `path` issued the one before it, the last of them itself too, and
/// that all are valid at `now` (unix seconds). Whether the last is to be believed is another question.
///
/// # Errors
/// Says what does not fit.
pub fn verify_up_to_root(path: &[&Certificate], now: i64) -> Result<(), ChainError> {
    for pair in path.windows(2) {
        verify_issued(pair[0], pair[1], now)?;
    }
    let root = path.last().ok_or(ChainError::UntrustedIssuer)?;
    verify_issued(root, root, now)
}

type PathCheck<'a> = &'a dyn Fn(&VerifiedPath<'_>) -> Result<(), webpki::Error>;

fn build(
    leaf: &[u8],
    intermediates: &[CertificateDer<'_>],
    anchors: &Anchors,
    now: i64,
    usage: Usage,
    check: Option<PathCheck<'_>>,
) -> Result<(), ChainError> {
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(ChainError::from_webpki)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or(0)));
    let (algorithms, anchors) = (webpki::ALL_VERIFICATION_ALGS, &anchors.0);
    let verified = match usage {
        Usage::Server => {
            let usage = KeyUsage::server_auth();
            leaf.verify_for_usage(algorithms, anchors, intermediates, now, usage, None, check)
        }
        Usage::Client => {
            let usage = KeyUsage::client_auth();
            leaf.verify_for_usage(algorithms, anchors, intermediates, now, usage, None, check)
        }
        Usage::Any => leaf.verify_for_usage(
            algorithms,
            anchors,
            intermediates,
            now,
            Unchecked,
            None,
            check,
        ),
    };
    verified.map(|_| ()).map_err(ChainError::from_webpki)
}

/// Lets every certificate of a path say what it likes.
struct Unchecked;

impl webpki::ExtendedKeyUsageValidator for Unchecked {
    fn validate(&self, _: webpki::KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
