//! Devices that prove with a TPM what they are.

use std::net::IpAddr;

use enlist_attest::tpm::{TpmEndorsement, TpmEvidence};
use enlist_pki::Csr;

use super::Weighed;
use super::challenge::{Bound, Challenge};
use super::trust::Trust;
use crate::refusals::Attempt;
use crate::{Enrollment, Error, Ops};

/// A device's request for a challenge.
#[derive(Debug)]
pub struct AskChallenge {
    /// The tenant's name, as the device has it.
    pub tenant: String,
    /// The group's name, as the device has it.
    pub group: String,
    /// Whose TPM.
    pub endorsement: TpmEndorsement,
    /// Where the request came from.
    pub source: IpAddr,
}

impl Ops {
    /// A challenge for a TPM. Whether its manufacturer is believed, and whether there is such a group,
    /// it does not say.
    ///
    /// # Errors
    /// A key does not read or is not what it has to be; the source asks too often.
    pub fn challenge(&self, asked: &AskChallenge) -> Result<Challenge, Error> {
        let (guard, now) = (&self.inner.challenge_guard, self.now());
        guard.check_source(asked.source, now)?;
        guard.count(asked.source, now);
        let made = asked
            .endorsement
            .read()
            .map_err(Error::attestation)
            .and_then(|endorsed| {
                let bound = Bound {
                    tenant: &asked.tenant,
                    group: &asked.group,
                    endorsed: &endorsed,
                };
                bound.challenge(self.inner.nonces.key(), &*self.inner.rng, now)
            });
        if let Err(error) = &made {
            let refusals = &self.inner.refusals;
            let attempt = Attempt::at(&asked.group);
            refusals.count_newcomer(&asked.tenant, attempt, error, asked.source);
        }
        made
    }

    /// What a TPM's evidence proves. That the challenge was answered is checked before anything that
    /// takes a signature check.
    pub(super) fn weigh_tpm(
        &self,
        trust: &Trust,
        evidence: &TpmEvidence,
        csr: &Csr,
        asked: &Enrollment,
    ) -> Result<Weighed, Error> {
        let now = self.now();
        let endorsed = evidence.endorsement.read().map_err(Error::attestation)?;
        let bound = Bound {
            tenant: &asked.tenant,
            group: &asked.group,
            endorsed: &endorsed,
        };
        let key = self.inner.nonces.key();
        let expires_at = bound.check(key, &evidence.challenge, &evidence.activated, now)?;
        let attested = evidence
            .verify(&endorsed, csr, expires_at)
            .map_err(Error::attestation)?;
        let manufacturers = trust.manufacturers.iter().map(|one| &one.cas);
        Ok(match endorsed.voucher(manufacturers, now) {
            Ok(_) => Weighed::Proved(attested),
            Err(why) => Weighed::Unvouched {
                says: endorsed.identity().to_string(),
                attested: Some(attested),
                why,
            },
        })
    }
}
