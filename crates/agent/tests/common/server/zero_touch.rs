//! How the tests' server lets devices in that bring no secret.

use std::collections::{BTreeMap, BTreeSet};

use enlist_agent::disk::Credentials;
use enlist_agent::machine::Failure;
use enlist_core::{Digest, Rng, tpm_certify_data};
use enlist_pki::Certificate;
use enlist_wire::{Binary, ChallengeReply, ChallengeRequest, EnrollRequest, Time, TpmAttestation};

use super::fault::lost;
use super::{Server, problem};

/// What devices have to prove, and what they have proved.
#[derive(Default)]
pub struct Proofs {
    /// Whether anything is to be proved.
    pub wanted: bool,
    /// The manufacturer whose certificates count, beside TPMs.
    pub manufacturer: Option<Certificate>,
    /// The boards whose manufacturer is not known.
    pub unknown: BTreeSet<u8>,
    /// Seconds that a challenge is good for.
    pub good_for: i64,
    /// What devices have claimed to be, in each request to enroll that came through.
    pub claims: Vec<String>,
    /// The claim that is not on the manifest.
    pub unlisted: Option<&'static str>,
    /// The code of who waits, where it is another one by now.
    pub code: Option<&'static str>,
    /// How many challenges were made.
    pub challenges: usize,
    open: BTreeMap<Vec<u8>, Challenge>,
    used: BTreeSet<Vec<u8>>,
}

struct Challenge {
    ek_public: Vec<u8>,
    ak_public: Vec<u8>,
    secret: [u8; 32],
    until: i64,
}

impl Server {
    pub fn challenge(&mut self, request: &ChallengeRequest) -> Result<ChallengeReply, Failure> {
        let fault = self.arrive()?;
        assert_eq!(request.group, "presses");
        let (mut id, mut secret) = ([0; 16], [0; 32]);
        self.rng.fill(&mut id);
        self.rng.fill(&mut secret);
        let until = self.now() + self.proofs.good_for.max(1);
        let challenge = Challenge {
            ek_public: request.tpm.ek_public.0.clone(),
            ak_public: request.tpm.ak_public.0.clone(),
            secret,
            until,
        };
        self.proofs.challenges += 1;
        self.proofs.open.insert(id.to_vec(), challenge);
        let reply = ChallengeReply {
            challenge: Binary(id.to_vec()),
            credential_blob: request.tpm.ek_public.clone(),
            encrypted_secret: Binary(secret.to_vec()),
            expires_at: Time::from_secs(until),
        };
        lost(fault, reply)
    }

    /// Every request has to prove what it is, asked again or not.
    pub(super) fn verify(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<(), Failure> {
        if let Some(claim) = &request.hardware {
            let kind = serde_json::to_value(claim.kind).unwrap();
            let claim = format!("{}:{}", kind.as_str().unwrap(), claim.value);
            let is_unlisted = self.proofs.unlisted == Some(&claim);
            self.proofs.claims.push(claim);
            if is_unlisted {
                return Err(problem("manifest-not-listed", 403, |_| {}));
            }
        }
        if !self.proofs.wanted {
            assert!(request.attestation.is_none(), "nobody has asked");
            return Ok(());
        }
        let proof = request.attestation.as_ref();
        match (proof.and_then(|proof| proof.tpm.as_ref()), idevid) {
            (Some(tpm), _) => self.verify_tpm(tpm, &request.csr.0),
            (None, Some(idevid)) => {
                assert!(proof.unwrap().idevid.is_some(), "it says what it brings");
                let leaf = &idevid.chain[0];
                let key = idevid.key.public_key();
                assert_eq!(leaf.spki_der(), key.spki_der(), "TLS would fail");
                match self.proofs.manufacturer.as_ref() {
                    Some(ca) if ca.subject_der() == leaf.issuer_der() => Ok(()),
                    _ => Err(problem("attestation-unknown-manufacturer", 403, |_| {})),
                }
            }
            (None, None) => Err(problem("attestation-required", 403, |_| {})),
        }
    }

    fn verify_tpm(&mut self, tpm: &TpmAttestation, csr: &[u8]) -> Result<(), Failure> {
        let now = self.now();
        let stale = || problem("challenge-invalid", 403, |_| {});
        let open = self.proofs.open.get(&tpm.challenge.0).ok_or_else(stale)?;
        if now > open.until {
            return Err(stale());
        }
        assert_eq!(tpm.ek_public.0, open.ek_public);
        assert_eq!(tpm.ak_public.0, open.ak_public);
        assert_eq!(tpm.certify_signature.0, open.ak_public, "by that key");
        let data: Digest = tpm_certify_data(&tpm.challenge.0, csr);
        let is_answered = tpm.activated.0 == open.secret && tpm.certify_info.0 == data.as_bytes();
        if !is_answered {
            return Err(problem("attestation-refused", 403, |_| {}));
        }
        if self.proofs.unknown.contains(&tpm.ek_public.0[1]) {
            return Err(problem("attestation-unknown-manufacturer", 403, |_| {}));
        }
        if !self.proofs.used.insert(tpm.challenge.0.clone()) {
            return Err(problem("challenge-used", 409, |_| {}));
        }
        Ok(())
    }
}
