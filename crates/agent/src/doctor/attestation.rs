//! Whether the device can prove which hardware it is, and who vouches for it.

use enlist_core::HardwareKind;
use enlist_keys::attestation::Attestor;
use enlist_pki::Certificate;

use super::Finding;
use super::patient::Patient;
use crate::config::{Attestation, Idevid};
use crate::disk::Keys;
use crate::drive::credentials;
use crate::explain;

pub(super) fn check(patient: &Patient) -> Finding {
    let attestation = &patient.configuration.attestation;
    if let Attestation::Idevid(idevid) = attestation {
        return by_certificate(patient, idevid);
    }
    match patient.vault.keys_if_any().and_then(Keys::attestor) {
        Some(tpm) => by_tpm(tpm, attestation.proves()),
        None => Finding::skipped("nothing here proves which hardware this is"),
    }
}

fn by_certificate(patient: &Patient, idevid: &Idevid) -> Finding {
    let path = idevid.certificate_path.display();
    match credentials(idevid, &patient.vault) {
        Ok(credentials) => match credentials.chain.first() {
            Some(leaf) if !leaf.is_current(patient.now.as_secs()) => Finding::failed(
                format!("the manufacturer's certificate {path} is not valid now"),
                "see that the clock is right; nobody but the manufacturer can renew it",
            ),
            Some(leaf) => Finding::ok(format!(
                "the manufacturer's certificate {path}, by {}",
                leaf.issuer()
            )),
            None => Finding::failed(format!("{path} holds no certificate"), REMEDY),
        },
        Err(failure) => Finding::failed(failure.message, REMEDY),
    }
}

const REMEDY: &str = "see that `idevid_certificate_path` and `idevid_key` name what belongs together, and that the \
                      user the agent runs as may read it";

/// `is_needed` says whether the device enrolls by it.
fn by_tpm(tpm: &dyn Attestor, is_needed: bool) -> Finding {
    let said = match tpm.endorsement() {
        Ok(said) => said,
        Err(error) => {
            let (found, remedy) = (
                explain(&error),
                "without that the device needs a provisioning secret: `attestation` as `none` in the \
                 configuration says so",
            );
            return match is_needed {
                true => Finding::failed(found, remedy),
                false => Finding::warning(found, remedy),
            };
        }
    };
    let kind = HardwareKind::TpmEk.as_str();
    let digest = enlist_core::lower_hex(&said.ek_key.digest());
    let maker = said.ek_certificates.first().map(|der| {
        Certificate::from_der(der)
            .map_or_else(|_| "somebody".to_owned(), |one| one.issuer().to_string())
    });
    match maker {
        Some(maker) => Finding::ok(format!("{kind}:{digest}, certified by {maker}")),
        None => Finding::warning(
            format!("{kind}:{digest}, and the TPM holds no certificate of it"),
            "a group lets it in without a secret where its manifest lists that",
        ),
    }
}
