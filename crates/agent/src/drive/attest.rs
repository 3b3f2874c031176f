//! How the device proves which hardware it is.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use enlist_core::{lower_hex, tpm_certify_data};
use enlist_keys::attestation::{Attestor, Endorsement};
use enlist_keys::{FileKey, KeyReference, KeyStoreError};
use enlist_pki::{Certificate, Signer};
use enlist_wire::{
    Attestation as Proof, Binary, ChallengeRequest, IdevidAttestation, TpmAttestation,
    TpmEndorsement,
};
use zeroize::Zeroizing;

use super::Agent;
use super::exchange::request_over;
use crate::config::{Attestation, Idevid, IdevidKey};
use crate::disk::{Credentials, Disk, Keys, Vault};
use crate::explain;
use crate::machine::{Challenge, Enrolling, Evidence, Failure, Outcome, Stage};
use crate::net::Net;

impl<D: Disk, N: Net> Agent<D, N> {
    /// Says which TPM this is, and asks for a challenge to it.
    pub(super) fn challenge(&mut self, enrolling: Enrolling) -> Result<Outcome, Failure> {
        let said = self
            .attestor()?
            .endorsement()
            .map_err(|error| by_the_tpm(&error))?;
        let tpm = on_the_wire(said);
        let request = ChallengeRequest {
            tenant: enrolling.tenant,
            group: enrolling.group,
            tpm: tpm.clone(),
        };
        let reply = self.net.challenge(&request)?;
        Ok(Outcome::Challenged(Box::new(Challenge { tpm, reply })))
    }

    /// Has the TPM answer, and state that the key in this slot is its own. The statement is about one
    /// request, so that nobody else can use it for another.
    pub(super) fn attest(&mut self, slot: u64, challenge: &Challenge) -> Result<Outcome, Failure> {
        let (attestor, reply) = (self.attestor()?, &challenge.reply);
        let activated = attestor
            .activate(&reply.credential_blob.0, &reply.encrypted_secret.0)
            .map_err(|error| by_the_tpm(&error))?;
        let name = match &self.state()?.stage {
            Stage::Enrolling(enrolling) => enrolling.name.as_deref(),
            Stage::Enrolled(identity) => Some(identity.name.as_str()),
        };
        let csr = request_over(&*self.vault.key(slot)?, name)?;
        let gone = || Failure::retry("the key to attest is gone");
        let key = self.vault.reference_if_any(slot)?.ok_or_else(gone)?;
        let data = tpm_certify_data(&reply.challenge.0, &csr.0);
        let certified = attestor
            .certify(&key, data.as_bytes())
            .map_err(|error| by_the_tpm(&error))?;
        let tpm = challenge.tpm.clone();
        Ok(Outcome::Attested(Box::new(Evidence {
            csr: csr.0,
            tpm: TpmAttestation {
                ek_public: tpm.ek_public,
                ek_certificates: tpm.ek_certificates,
                ak_public: tpm.ak_public,
                challenge: reply.challenge.clone(),
                activated: Binary(activated.to_vec()),
                key_public: Binary(certified.key_public),
                certify_info: Binary(certified.certify_info),
                certify_signature: Binary(certified.signature),
            },
        })))
    }

    /// What the manufacturer has given the device, where it is to enroll with that. It is read each time:
    /// a device that is enrolled needs it no more.
    pub(super) fn idevid(&self) -> Result<Option<Credentials>, Failure> {
        match &self.attestation {
            Attestation::Idevid(idevid) => credentials(idevid, &self.vault).map(Some),
            Attestation::Nothing | Attestation::Tpm => Ok(None),
        }
    }

    fn attestor(&self) -> Result<&dyn Attestor, Failure> {
        let keys = self.vault.keys_if_any();
        keys.and_then(Keys::attestor)
            // What a build without TPMs can't come to, it need not carry either.
            .filter(|_| cfg!(feature = "tpm"))
            .ok_or_else(|| Failure::give_up("there is no TPM to prove anything with"))
    }
}

/// What a TPM is, as it goes over the wire.
fn on_the_wire(said: Endorsement) -> TpmEndorsement {
    TpmEndorsement {
        ek_public: Binary(said.ek_public),
        ek_certificates: said.ek_certificates.into_iter().map(Binary).collect(),
        ak_public: Binary(said.ak_public),
    }
}

pub(super) fn by_tpm(tpm: TpmAttestation) -> Proof {
    Proof {
        tpm: Some(tpm),
        idevid: None,
    }
}

pub(super) fn by_idevid() -> Proof {
    Proof {
        tpm: None,
        idevid: Some(IdevidAttestation {}),
    }
}

/// A TPM that is busy or away comes back; what it refuses, it refuses the next time too.
fn by_the_tpm(error: &KeyStoreError) -> Failure {
    let message = format!("the TPM does not prove this device: {}", explain(error));
    match error.is_transient() {
        true => Failure::retry(message),
        false => Failure::give_up(message),
    }
}

/// The manufacturer's certificate with its key.
pub(crate) fn credentials<D: Disk>(
    idevid: &Idevid,
    vault: &Vault<D>,
) -> Result<Credentials, Failure> {
    let path = &idevid.certificate_path;
    let unusable = |why: String| {
        Failure::give_up(format!(
            "the manufacturer's certificate {} can't be used: {why}",
            path.display()
        ))
    };
    let pem = Zeroizing::new(read(path)?);
    let chain = enlist_pki::chain_from_pem(&pem).map_err(|why| unusable(explain(&why)))?;
    let leaf = chain
        .first()
        .ok_or_else(|| unusable("there is none in the file".into()))?;
    let key = key(&idevid.key, leaf, vault).map_err(|why| match why {
        NoKey::Unreadable(failure) => failure,
        NoKey::Unusable(why) => unusable(why),
    })?;
    if key.public_key().spki_der() != leaf.spki_der() {
        return Err(unusable("`idevid_key` is not its key".into()));
    }
    Ok(Credentials { chain, key })
}

enum NoKey {
    Unreadable(Failure),
    Unusable(String),
}

fn key<D: Disk>(
    key: &IdevidKey,
    leaf: &Certificate,
    vault: &Vault<D>,
) -> Result<Arc<dyn Signer>, NoKey> {
    let unusable = |why: &dyn std::error::Error| NoKey::Unusable(explain(why));
    match key {
        IdevidKey::File(path) => {
            let pem = Zeroizing::new(read(path).map_err(NoKey::Unreadable)?);
            let key = FileKey::from_pkcs8_pem(&pem).map_err(|why| unusable(&why))?;
            Ok(Arc::new(key))
        }
        IdevidKey::Store(place) => {
            let digest = lower_hex(enlist_core::Digest::of(leaf.spki_der()).as_bytes());
            let whole = match place.contains(";sha256=") {
                true => place.clone(),
                false => format!("{place};sha256={digest}"),
            };
            let reference = KeyReference::parse(&whole).map_err(|why| unusable(&why))?;
            let keys = vault.keys_if_any();
            let keys = keys.ok_or_else(|| NoKey::Unusable("no key store is open".into()))?;
            keys.key(&reference)
                .map_err(|why| match why.is_transient() {
                    true => NoKey::Unreadable(Failure::retry(explain(&why))),
                    false => unusable(&why),
                })
        }
    }
}

/// A file of the manufacturer's may be on something that is not mounted yet.
fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|why| Failure::retry(format!("{} can't be read: {why}", path.display())))
}
