//! Signing an issuing CA where the root's key is kept.

use std::sync::Arc;

use enlist_ca::{Authority, IssueRefusal, issuing_ca_name, make_issuing_ca};
use enlist_core::{Clock, Name, Rng, Serial};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Csr};

use crate::Error;
use crate::cas::chain::refused;

/// The request for an issuing CA, and the root that is to sign it.
#[derive(Debug)]
pub struct CaToSign {
    /// What was asked for.
    pub csr: Csr,
    /// The root's certificate.
    pub root: Certificate,
    /// The root's key.
    pub key: FileKey,
}

/// Signs an issuing CA as the server would if it had the root's key. It touches no database.
///
/// # Errors
/// When the request is none of a server of this kind, key and certificate of the root do not belong
/// together, or the root has expired.
pub fn sign_issuing_ca(
    asked: CaToSign,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<Certificate, Error> {
    let subject = asked.csr.subject();
    let tenant: Name = subject
        .organization()
        .and_then(|name| name.parse().ok())
        .ok_or_else(|| refused("the request names no tenant (O)"))?;
    let key = asked.csr.public_key();
    if issuing_ca_name(&tenant, key)? != subject {
        return Err(refused(
            "the request is not one for an issuing CA of Enlist: its name is another",
        ));
    }
    let root =
        Authority::new(asked.root, Arc::new(asked.key)).map_err(|refusal| shown(&refusal))?;
    let serial = Serial::new(clock, rng);
    make_issuing_ca(&root, &tenant, key, serial, clock.now()).map_err(|refusal| shown(&refusal))
}

fn shown(refusal: &IssueRefusal) -> Error {
    refused(&refusal.to_string())
}
