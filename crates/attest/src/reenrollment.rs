//! Evidence of a device that re-enrolls as EST has it (RFC 7030 section 4.2.2).

use enlist_core::{Credential, Timestamp};
use enlist_pki::{Certificate, Csr};

use crate::{ByCertificate, Proof, RenewalRefusal, Verified};

impl ByCertificate<'_> {
    /// Verifies a re-enrollment over mutual TLS. The names in the CSR may be left out; those that
    /// are given have to stand in the certificate that was presented, and count as nothing more.
    ///
    /// # Errors
    /// As [`ByCertificate::authenticate`], and when the CSR names another subject.
    pub fn verify_reenrollment(
        &self,
        csr: &Csr,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Verified, RenewalRefusal> {
        let serial = self.authenticate(credential, now)?;
        let repeats = Certificate::from_der(&self.presented.der)
            .is_ok_and(|presented| csr.names_stand_in(&presented));
        if !repeats {
            return Err(RenewalRefusal::OtherNames);
        }
        let verified = Verified::new(csr, Proof::Certificate(serial));
        Ok(verified.asking_for(csr.requested().beyond_names()))
    }
}
