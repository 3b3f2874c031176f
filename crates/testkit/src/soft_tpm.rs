//! A TPM in memory that does what attestation asks of one, and lies where a test wants it to.
//!
//! Its structures are those of the TPM 2.0 Library Specification, Part 2. The real thing is swtpm; this
//! one is there for what no TPM does: wrong attributes, foreign signatures, statements about other keys.

use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::kdf::{
    KbkdfCtrHmacAlgorithmId, SskdfDigestAlgorithmId, get_kbkdf_ctr_hmac_algorithm,
    get_sskdf_digest_algorithm, kbkdf_ctr_hmac, sskdf_digest,
};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use enlist_pki::{KeyKind, PublicKey};

/// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth.
pub const BOUND: u32 = 0x0000_0072;
/// adminWithPolicy.
pub const ADMIN_WITH_POLICY: u32 = 1 << 7;
/// restricted.
pub const RESTRICTED: u32 = 1 << 16;
/// decrypt.
pub const DECRYPT: u32 = 1 << 17;
/// sign.
pub const SIGN: u32 = 1 << 18;

/// What an endorsement key is.
pub const EK: u32 = BOUND & !(1 << 6) | ADMIN_WITH_POLICY | RESTRICTED | DECRYPT;
/// What an attestation key is.
pub const AK: u32 = BOUND | RESTRICTED | SIGN;
/// What a device's key is.
pub const KEY: u32 = BOUND | SIGN;

/// A TPM with an endorsement key and an attestation key, both on P-256.
pub struct SoftTpm {
    ek: PrivateKey,
    ak: EcdsaKeyPair,
    /// The endorsement key, `TPMT_PUBLIC`.
    pub ek_public: Vec<u8>,
    /// Its certificate and the CAs above.
    pub ek_certificates: Vec<Vec<u8>>,
    /// The attestation key, `TPMT_PUBLIC`.
    pub ak_public: Vec<u8>,
}

impl SoftTpm {
    /// A TPM as it should be, without a certificate.
    ///
    /// # Panics
    /// When no keys can be made.
    pub fn new() -> Self {
        let ek = PrivateKey::generate(&ECDH_P256).expect("a key");
        let ak = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = ek.compute_public_key().expect("its public half");
        let mut tpm = Self {
            ek_public: ek_public(EK, point.as_ref()),
            ek_certificates: Vec::new(),
            ak_public: Vec::new(),
            ek,
            ak,
        };
        tpm.set_ak_attributes(AK);
        tpm
    }

    /// Makes the attestation key another object, with these attributes.
    pub fn set_ak_attributes(&mut self, attributes: u32) {
        // ECDSA with SHA-256.
        let scheme = [0x00, 0x18, 0x00, 0x0b];
        let point = self.ak.public_key().as_ref();
        self.ak_public = ecc(attributes, &[], &[0x00, 0x10], &scheme, point);
    }

    /// Makes the endorsement key another object, with these attributes.
    ///
    /// # Panics
    /// Never.
    pub fn set_ek_attributes(&mut self, attributes: u32) {
        let point = self.ek.compute_public_key().expect("its public half");
        self.ek_public = ek_public(attributes, point.as_ref());
    }

    /// The endorsement key.
    ///
    /// # Panics
    /// Never.
    pub fn ek_key(&self) -> PublicKey {
        let point = self.ek.compute_public_key().expect("its public half");
        let (x, y) = halves(point.as_ref());
        PublicKey::from_point(KeyKind::P256, x, y).expect("a key")
    }

    /// `TPM2_ActivateCredential`: the secret, where it was made for this endorsement key and the name of
    /// this attestation key.
    ///
    /// # Panics
    /// When the structures are none.
    pub fn activate(&self, blob: &[u8], encrypted_secret: &[u8]) -> Option<Vec<u8>> {
        let name = name(&self.ak_public);
        let (x, rest) = sized(&encrypted_secret[2..]);
        let (y, _) = sized(rest);
        let point = [&[4], x, y].concat();
        let ours = self.ek.compute_public_key().expect("its public half");
        let info = [b"IDENTITY\0", x, halves(ours.as_ref()).0].concat();
        let theirs = UnparsedPublicKey::new(&ECDH_P256, &point);
        let mut seed = [0; 32];
        agreement::agree(&self.ek, theirs, (), |agreed| {
            let algorithm = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(())?;
            sskdf_digest(algorithm, agreed, &info, &mut seed).map_err(|_| ())
        })
        .ok()?;
        let (integrity, identity) = sized(&blob[2..]);
        let key = kdf_a(
            &seed,
            &[b"INTEGRITY\0".as_slice(), &256u32.to_be_bytes()].concat(),
            32,
        );
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
        aws_lc_rs::hmac::verify(&key, &[identity, &name].concat(), integrity).ok()?;
        let info = [b"STORAGE\0".as_slice(), &name, &128u32.to_be_bytes()].concat();
        let key = UnboundCipherKey::new(&AES_128, &kdf_a(&seed, &info, 16)).expect("a key");
        let mut secret = identity.to_vec();
        let zero = DecryptionContext::Iv128(FixedLength::from([0; 16]));
        let key = DecryptingKey::cfb128(key).expect("a cipher");
        key.decrypt(&mut secret, zero).expect("it decrypts");
        Some(sized(&secret).0.to_vec())
    }

    /// `TPM2_Certify`: what the attestation key says of an object (`TPMS_ATTEST`), and its signature
    /// (`TPMT_SIGNATURE`).
    pub fn certify(&self, object: &[u8], qualifying: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut info = vec![0xff, 0x54, 0x43, 0x47, 0x80, 0x17];
        info.extend(with_size(&[&[0, 11], [7; 32].as_slice()].concat()));
        info.extend(with_size(qualifying));
        // Clock, reset and restart counters, safe, version of the firmware.
        info.extend([0; 16]);
        info.push(1);
        info.extend([0; 8]);
        info.extend(with_size(&name(object)));
        info.extend(with_size(&[&[0, 11], [8; 32].as_slice()].concat()));
        let signature = self.sign(&info);
        (info, signature)
    }

    /// Signs whatever it is given, `TPMT_SIGNATURE`.
    ///
    /// # Panics
    /// When it can't.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.ak.sign(&SystemRandom::new(), message);
        let signature = signature.expect("it signs");
        let (r, s) = signature.as_ref().split_at(32);
        [&[0x00, 0x18, 0x00, 0x0b], &*with_size(r), &*with_size(s)].concat()
    }
}

impl Default for SoftTpm {
    fn default() -> Self {
        Self::new()
    }
}

/// The public area (`TPMT_PUBLIC`) of a P-256 key, as if it were in a TPM.
///
/// # Panics
/// When the key is none on P-256.
pub fn key_public(attributes: u32, key: &PublicKey) -> Vec<u8> {
    let point = key.point().expect("a key on a curve");
    ecc(attributes, &[], &[0x00, 0x10], &[0x00, 0x10], point)
}

/// The public area of an endorsement key after TCG's template, but for its attributes.
fn ek_public(attributes: u32, point: &[u8]) -> Vec<u8> {
    // PolicySecret(TPM_RH_ENDORSEMENT)
    const POLICY: [u8; 32] = [
        0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7,
        0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14,
        0x69, 0xaa,
    ];
    // AES-128 in cipher feedback mode
    let symmetric = [0x00, 0x06, 0x00, 0x80, 0x00, 0x43];
    ecc(attributes, &POLICY, &symmetric, &[0x00, 0x10], point)
}

/// A `TPMT_PUBLIC` on P-256, its name by SHA-256.
fn ecc(attributes: u32, policy: &[u8], symmetric: &[u8], scheme: &[u8], point: &[u8]) -> Vec<u8> {
    let (x, y) = halves(point);
    [
        &[0x00, 0x23, 0x00, 0x0b],
        &attributes.to_be_bytes()[..],
        &with_size(policy),
        symmetric,
        scheme,
        &[0x00, 0x03, 0x00, 0x10],
        &with_size(x),
        &with_size(y),
    ]
    .concat()
}

fn name(public: &[u8]) -> Vec<u8> {
    [&[0x00, 0x0b], digest(&SHA256, public).as_ref()].concat()
}

fn halves(point: &[u8]) -> (&[u8], &[u8]) {
    point[1..].split_at(32)
}

fn with_size(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("it is short");
    [&length.to_be_bytes(), content].concat()
}

fn sized(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    bytes[2..].split_at(length)
}

fn kdf_a(key: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let algorithm = get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256);
    let mut out = vec![0; length];
    kbkdf_ctr_hmac(algorithm.expect("it is known"), key, info, &mut out).expect("it derives");
    out
}
