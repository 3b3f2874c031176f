//! Whether a certificate will do for an issuing CA.

use enlist_pki::Certificate;
use enlist_pki::path::verify_issued;

use crate::Error;

/// The most certificates that may stand above an issuing CA.
const MOST: usize = 8;

/// Checks that `ca`, with those of `others` that stand above it, makes an issuing CA at `now` (unix
/// seconds). What stands above it comes back, up to the outermost; nothing where that is `root`, the
/// installation's own.
pub(super) fn above(
    ca: &Certificate,
    others: &[Certificate],
    root: &Certificate,
    now: i64,
) -> Result<Vec<Certificate>, Error> {
    if !ca.is_ca() || ca.signs_for_a_ca() != Some(true) {
        return Err(refused(
            "it is not one of a CA that signs certificates and CRLs (basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign)",
        ));
    }
    if ca.path_len() != Some(0) {
        return Err(refused(
            "it lets further CAs stand below it: have it signed with pathlen:0",
        ));
    }
    if is_outermost(ca) {
        return Err(refused("it was signed by itself, and not by a root"));
    }
    if ca.issuer_der() == root.subject_der() {
        return match verify_issued(ca, root, now) {
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(refused(&error.to_string())),
        };
    }
    let mut chain: Vec<Certificate> = Vec::new();
    while !chain.last().is_some_and(is_outermost) {
        if chain.len() == MOST {
            return Err(refused("too many CAs stand above it"));
        }
        let upper = issuer_of(chain.last().unwrap_or(ca), others, now)?;
        let below_it = u8::try_from(chain.len() + 1).unwrap_or(u8::MAX);
        if upper.path_len().is_some_and(|most| most < below_it)
            || upper.signs_for_a_ca() == Some(false)
        {
            return Err(refused("a CA above it may not have such a CA below it"));
        }
        chain.push(upper.clone());
    }
    Ok(chain)
}

/// The one among `others` that issued `certificate`.
fn issuer_of<'a>(
    certificate: &Certificate,
    others: &'a [Certificate],
    now: i64,
) -> Result<&'a Certificate, Error> {
    let mut why =
        "what stands above it is not there up to a root: give all of it, with `--chain FILE`"
            .to_owned();
    for one in others {
        if one.subject_der() == certificate.issuer_der() {
            match verify_issued(certificate, one, now) {
                Ok(()) => return Ok(one),
                Err(error) => why = error.to_string(),
            }
        }
    }
    Err(refused(&why))
}

fn is_outermost(certificate: &Certificate) -> bool {
    certificate.issuer_der() == certificate.subject_der()
}

pub(super) fn refused(why: &str) -> Error {
    Error::CaRefused(why.to_owned())
}
