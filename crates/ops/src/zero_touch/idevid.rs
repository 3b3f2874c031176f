//! Devices that prove with their manufacturer's certificate what they are (IEEE 802.1AR).

use enlist_attest::{Idevid, IdevidRefusal};
use enlist_pki::Csr;
use enlist_pki::manufacturer::NotVouched;

use super::Weighed;
use super::trust::Trust;
use crate::renew::on_record;
use crate::{Error, Ops};

/// A certificate of this installation's own in the place of a manufacturer's.
#[derive(Debug, thiserror::Error)]
#[error(
    "the certificate that the connection shows was issued here, and is no manufacturer's: a device that has one renews with it"
)]
struct OwnCertificate;

impl Ops {
    /// What the client certificate of a connection proves, of which the handshake has shown that the
    /// client holds its key.
    pub(super) async fn weigh_idevid(
        &self,
        trust: &Trust,
        chain: &[Vec<u8>],
        csr: &Csr,
    ) -> Result<Weighed, Error> {
        let idevid = Idevid::read(chain).map_err(Error::attestation)?;
        let certificate = idevid.certificate().clone();
        let own = self
            .inner
            .store
            .read("own_certificate", move |tx| {
                match on_record(tx, &certificate) {
                    Ok(_) => Ok(true),
                    Err(Error::ForeignCertificate) => Ok(false),
                    Err(error) => Err(error),
                }
            })
            .await?;
        if own {
            return Err(Error::attestation(OwnCertificate));
        }
        let manufacturers = trust.manufacturers.iter().map(|one| (&one.name, &one.cas));
        let refusal = match idevid.verify(manufacturers, csr, self.now()) {
            Ok(attested) => return Ok(Weighed::Proved(attested)),
            Err(refusal) => refusal,
        };
        match refusal {
            IdevidRefusal::NotVouched(why @ NotVouched::UnknownIssuer) => Ok(Weighed::Unvouched {
                attested: None,
                says: idevid.claim(),
                why,
            }),
            refusal => Err(Error::attestation(refusal)),
        }
    }
}
