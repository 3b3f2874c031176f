//! `TPMT_SIGNATURE` (Part 2, section 11.3.4).

use aws_lc_rs::signature::{
    self as lc, RsaParameters, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm,
};
use enlist_pki::KeyKind;

use super::hash::Hash;
use super::public::{Public, Scheme, Signing};
use super::reader::{Reader, Unreadable};
use super::refusal::TpmRefusal;

/// Whether a key of this kind signs by it.
pub(super) fn is_taken(kind: KeyKind, scheme: Scheme) -> bool {
    match kind {
        KeyKind::Rsa(_) => scheme.algorithm != Signing::Ecdsa,
        _ => scheme.algorithm == Signing::Ecdsa && ecdsa(kind, scheme.hash).is_some(),
    }
}

/// A signature, and how it was made.
struct Signature<'a> {
    scheme: Scheme,
    value: Value<'a>,
}

enum Value<'a> {
    Rsa(&'a [u8]),
    Ecdsa { r: &'a [u8], s: &'a [u8] },
}

/// Verifies that `signer` signed `message` by its own scheme.
pub(super) fn verify(signer: &Public, message: &[u8], signature: &[u8]) -> Result<(), TpmRefusal> {
    let signature = Signature::read(signature).map_err(|source| TpmRefusal::Unreadable {
        what: "certify_signature",
        source,
    })?;
    if signer.scheme != Some(signature.scheme) {
        return Err(TpmRefusal::OtherScheme);
    }
    if signature.holds(signer, message) {
        Ok(())
    } else {
        Err(TpmRefusal::WrongSignature)
    }
}

impl<'a> Signature<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(bytes);
        let algorithm =
            Signing::from_id(reader.u16("sigAlg")?).ok_or(Unreadable::Value("sigAlg"))?;
        let hash = Hash::read(&mut reader, "hash")?;
        let value = match algorithm {
            Signing::RsaSsa | Signing::RsaPss => Value::Rsa(reader.sized(512, "sig")?),
            Signing::Ecdsa => Value::Ecdsa {
                r: reader.sized(48, "signatureR")?,
                s: reader.sized(48, "signatureS")?,
            },
        };
        reader.finish()?;
        let scheme = Scheme { algorithm, hash };
        Ok(Self { scheme, value })
    }

    fn holds(&self, signer: &Public, message: &[u8]) -> bool {
        let verifies = |algorithm: &'static dyn VerificationAlgorithm, signature: &[u8]| {
            UnparsedPublicKey::new(algorithm, signer.key.spki_der())
                .verify(message, signature)
                .is_ok()
        };
        match self.value {
            Value::Rsa(signature) => rsa(self.scheme)
                .iter()
                .any(|algorithm| verifies(*algorithm, signature)),
            Value::Ecdsa { r, s } => ecdsa(signer.key.kind(), self.scheme.hash)
                .zip(fixed(signer.key.kind(), r, s))
                .is_some_and(|(algorithm, signature)| verifies(algorithm, &signature)),
        }
    }
}

/// TPMs salt RSASSA-PSS with as many bytes as fit, or, where FIPS 186 is kept, with as many as the hash
/// has (Part 1, annex B.7).
fn rsa(scheme: Scheme) -> &'static [&'static RsaParameters] {
    const MAX_SHA256: RsaParameters =
        lc::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
    const MAX_SHA384: RsaParameters =
        lc::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
    match (scheme.algorithm, scheme.hash) {
        (Signing::RsaSsa, Hash::Sha256) => &[&lc::RSA_PKCS1_2048_8192_SHA256],
        (Signing::RsaSsa, Hash::Sha384) => &[&lc::RSA_PKCS1_2048_8192_SHA384],
        (Signing::RsaPss, Hash::Sha256) => &[&MAX_SHA256, &lc::RSA_PSS_2048_8192_SHA256],
        (Signing::RsaPss, Hash::Sha384) => &[&MAX_SHA384, &lc::RSA_PSS_2048_8192_SHA384],
        (Signing::Ecdsa, _) => &[],
    }
}

/// A curve goes with its own hash.
fn ecdsa(kind: KeyKind, hash: Hash) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (kind, hash) {
        (KeyKind::P256, Hash::Sha256) => &lc::ECDSA_P256_SHA256_FIXED,
        (KeyKind::P384, Hash::Sha384) => &lc::ECDSA_P384_SHA384_FIXED,
        _ => return None,
    })
}

/// Both numbers in as many bytes as the curve has; a TPM may leave leading zeros out.
fn fixed(kind: KeyKind, r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let length = match kind {
        KeyKind::P256 => 32,
        KeyKind::P384 => 48,
        KeyKind::Ed25519 | KeyKind::Rsa(_) => return None,
    };
    let mut signature = Vec::with_capacity(2 * length);
    for number in [r, s] {
        let missing = usize::checked_sub(length, number.len())?;
        signature.extend(std::iter::repeat_n(0, missing));
        signature.extend_from_slice(number);
    }
    Some(signature)
}
