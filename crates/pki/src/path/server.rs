//! The path of a server.

use rustls_pki_types::{CertificateDer, ServerName};
use webpki::{EndEntityCert, VerifiedPath};

use super::{Anchors, ChainError, Usage, build};
use crate::certificate::Certificate;
use crate::extension::KeyPurpose;
use crate::oid::SERVER_POLICY_OID;

/// Whom a client believes to be its server.
#[derive(Debug, Clone, Default)]
pub struct ServerTrust {
    /// Roots of Enlist installations. Below them only a CA that carries
    /// [`SERVER_POLICY_OID`] can vouch for a server, so that no device certificate,
    /// whatever its name and key purposes, can pose as one.
    pub anchors: Anchors,
    /// CAs of server certificates from elsewhere, believed without that mark. They must
    /// not be CAs that certify devices.
    pub service_anchors: Anchors,
}

/// Verifies the chain that a server presents, leaf first, for `name` at `now` (unix
/// seconds).
///
/// # Errors
/// Says why it is not believed; [`ChainError::is_about_dates`] where only the clock
/// stands against it.
pub fn verify_server(
    chain: &[CertificateDer<'_>],
    trust: &ServerTrust,
    name: &ServerName<'_>,
    now: i64,
) -> Result<(), ChainError> {
    let (leaf, intermediates) = chain.split_first().ok_or(ChainError::UntrustedIssuer)?;
    match verify_service_path(leaf, intermediates, trust, now) {
        Ok(()) => {}
        Err(error) if trust.service_anchors.is_empty() => return Err(error),
        Err(first) => {
            let anchors = &trust.service_anchors;
            build(leaf, intermediates, anchors, now, Usage::Server, None).map_err(|second| {
                // The path that got further has the more telling error.
                match second {
                    ChainError::UntrustedIssuer => first,
                    second => second,
                }
            })?;
        }
    }
    EndEntityCert::try_from(leaf)
        .and_then(|leaf| leaf.verify_is_valid_for_subject_name(name))
        .map_err(ChainError::from_webpki)
}

/// The latest moment at which a certificate of `chain` becomes valid (unix seconds); `None`
/// where one does not read. A chain that verifies at this time is wrong in its dates alone.
pub fn latest_not_before(chain: &[CertificateDer<'_>]) -> Option<i64> {
    chain
        .iter()
        .map(|der| Certificate::from_der(der).ok().map(|one| one.not_before()))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .max()
}

/// A path to the installation's root, through CAs that carry the policy and no others.
fn verify_service_path(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trust: &ServerTrust,
    now: i64,
) -> Result<(), ChainError> {
    if !Certificate::from_der(leaf)?.has_purpose(KeyPurpose::ServerAuth) {
        return Err(ChainError::WrongUsage);
    }
    let marked: Vec<_> = intermediates
        .iter()
        .filter(|der| Certificate::from_der(der).is_ok_and(|ca| ca.has_policy(SERVER_POLICY_OID)))
        .cloned()
        .collect();
    // What the root signed itself carries no CA's mark.
    let through_one = |path: &VerifiedPath<'_>| match path.intermediate_certificates().next() {
        Some(_) => Ok(()),
        None => Err(webpki::Error::UnknownIssuer),
    };
    let anchors = &trust.anchors;
    build(
        leaf,
        &marked,
        anchors,
        now,
        Usage::Server,
        Some(&through_one),
    )
}
