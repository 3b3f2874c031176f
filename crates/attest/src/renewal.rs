//! Evidence of a device that has a certificate and wants the next one.

use enlist_core::{
    CertificateRecord, Credential, DeviceToken, RequestId, Serial, Standing, Timestamp,
    renewal_message,
};
use enlist_pki::{Certificate, Csr};

use crate::{Proof, Verified};

/// Why a renewal's evidence is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenewalRefusal {
    /// The certificate is not, or no longer, one of the device's two.
    #[error("the certificate is no longer in use: a newer one has taken its place")]
    NotInUse,
    /// On hold, or revoked.
    #[error(
        "the certificate was revoked: where the device may come back, clear away its old credentials and enroll it anew"
    )]
    Revoked,
    /// Past its end.
    #[error(
        "the certificate has expired: renew with the device token and the certificate's key, or by EST enroll once more with name, secret and the same key"
    )]
    Expired,
    /// Past its end for longer than the group allows.
    #[error("the certificate expired too long ago to be renewed")]
    PastRecovery,
    /// A re-enrollment whose CSR names what the certificate does not.
    #[error(
        "the CSR names another subject than the certificate that was shown: leave its names out, or repeat those of the certificate"
    )]
    OtherNames,
    /// The token is not the device's.
    #[error("the device token is wrong")]
    WrongToken,
    /// The signature was made by neither of the device's keys.
    #[error("the renewal is not signed with the key of the device's certificate")]
    WrongKey,
}

/// Evidence: the client certificate of a TLS connection.
#[derive(Debug, Clone, Copy)]
pub struct ByCertificate<'a> {
    /// What is on record of the certificate that was presented.
    pub presented: &'a CertificateRecord,
}

impl ByCertificate<'_> {
    /// Whether the certificate speaks for the device now.
    ///
    /// # Errors
    /// When it is not one of the device's two, does not stand, or has expired.
    pub fn authenticate(
        &self,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Serial, RenewalRefusal> {
        match self.presented.standing {
            Standing::Good => {}
            Standing::Held(_) => return Err(RenewalRefusal::Revoked),
            Standing::Revoked { .. } if credential.slot(self.presented.serial).is_some() => {
                return Err(RenewalRefusal::Revoked);
            }
            Standing::Revoked { .. } => return Err(RenewalRefusal::NotInUse),
        }
        if credential.slot(self.presented.serial).is_none() {
            return Err(RenewalRefusal::NotInUse);
        }
        if now > self.presented.not_after {
            return Err(RenewalRefusal::Expired);
        }
        Ok(self.presented.serial)
    }

    /// Verifies a renewal over mutual TLS.
    ///
    /// # Errors
    /// As [`ByCertificate::authenticate`].
    pub fn verify(
        &self,
        csr: &Csr,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Verified, RenewalRefusal> {
        let serial = self.authenticate(credential, now)?;
        Ok(Verified::new(csr, Proof::Certificate(serial)))
    }
}

/// Evidence: the device token, and a signature by a certificate's key. The nonce was checked
/// before, by whoever made it.
#[derive(Debug, Clone, Copy)]
pub struct ByToken<'a> {
    /// The token as it was handed in.
    pub token: &'a DeviceToken,
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// The signature over [`renewal_message`].
    pub signature: &'a [u8],
    /// The counter that was signed.
    pub counter: u64,
    /// The request id that was signed.
    pub request: RequestId,
}

impl ByToken<'_> {
    /// Verifies a renewal by token. `certificates` are those of the credential's slots, current
    /// and previous; `recovery_ends` tells of one until when it may still be renewed.
    ///
    /// # Errors
    /// When token or signature are wrong, or the certificate whose key signed does not stand or
    /// is too old.
    pub fn verify(
        &self,
        csr: &Csr,
        credential: &Credential,
        certificates: &[CertificateRecord],
        recovery_ends: impl Fn(&CertificateRecord) -> Timestamp,
        now: Timestamp,
    ) -> Result<Verified, RenewalRefusal> {
        if !credential.accepts(self.token.digest()) {
            return Err(RenewalRefusal::WrongToken);
        }
        let message = renewal_message(
            credential.device,
            self.counter,
            self.request,
            self.nonce,
            csr.der(),
        );
        let signer = certificates
            .iter()
            .filter(|certificate| credential.slot(certificate.serial).is_some())
            .find(|certificate| self.is_signed_by(certificate, &message))
            .ok_or(RenewalRefusal::WrongKey)?;
        if signer.standing != Standing::Good {
            return Err(RenewalRefusal::Revoked);
        }
        if now > recovery_ends(signer) {
            return Err(RenewalRefusal::PastRecovery);
        }
        Ok(Verified::new(csr, Proof::Token(signer.serial)))
    }

    fn is_signed_by(&self, certificate: &CertificateRecord, message: &[u8]) -> bool {
        Certificate::from_der(&certificate.der)
            .ok()
            .and_then(|certificate| certificate.public_key().ok())
            .is_some_and(|key| key.verify(message, self.signature).is_ok())
    }
}
