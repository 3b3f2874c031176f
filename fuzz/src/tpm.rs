//! What a TPM says of itself and of a device's key.

use enlist_attest::tpm::{TpmEndorsement, TpmEvidence};
use enlist_core::Timestamp;
use enlist_pki::Csr;

/// When the challenges of the corpus end; nothing here looks at it.
const ENDS: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Reads evidence, its parts one after the other, each preceded by its length in two bytes: the CSR,
/// challenge, endorsement key, attestation key, the CSR's key, what the TPM says of that, its signature,
/// and certificates. Says whether it attests the CSR's key: then each bit of what was signed counts.
///
/// # Panics
/// When it does not.
pub fn tpm(data: &[u8]) -> bool {
    let Some((csr, evidence)) = parts(data) else {
        return false;
    };
    let Ok(endorsed) = evidence.endorsement.read() else {
        return false;
    };
    assert_eq!(endorsed.identity().value().len(), 64);
    // A hash algorithm, and as many bytes as that has.
    assert!([34, 50].contains(&endorsed.ak_name().len()));
    let Ok(csr) = Csr::from_der(&csr) else {
        return false;
    };
    let Ok(attested) = evidence.verify(&endorsed, &csr, ENDS) else {
        return false;
    };
    assert_eq!(attested.verified().key(), csr.public_key());
    assert_eq!(attested.identity(), endorsed.identity());

    // One bit is wrong; which one, its own bytes say.
    let spoilt: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 4] = [
        |evidence| &mut evidence.challenge,
        |evidence| &mut evidence.key_public,
        |evidence| &mut evidence.certify_info,
        |evidence| &mut evidence.certify_signature,
    ];
    for part in spoilt {
        let mut other = evidence.clone();
        let bytes = part(&mut other);
        if bytes.is_empty() {
            continue;
        }
        let bit = data.iter().fold(data.len(), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
        }) % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            other.verify(&endorsed, &csr, ENDS).is_err(),
            "bit {bit} does not count"
        );
    }
    true
}

fn parts(mut data: &[u8]) -> Option<(Vec<u8>, TpmEvidence)> {
    let mut next = || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        data = rest;
        Some(part.to_vec())
    };
    let csr = next()?;
    let mut evidence = TpmEvidence {
        challenge: next()?,
        endorsement: TpmEndorsement {
            ek_public: next()?,
            ak_public: next()?,
            ek_certificates: Vec::new(),
        },
        key_public: next()?,
        certify_info: next()?,
        certify_signature: next()?,
        activated: Vec::new(),
    };
    evidence
        .endorsement
        .ek_certificates
        .extend(std::iter::from_fn(next));
    data.is_empty().then_some((csr, evidence))
}
