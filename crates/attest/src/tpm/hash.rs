//! The hash algorithms that are taken of a TPM, and what is built upon them.

use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::kdf::{
    KbkdfCtrHmacAlgorithmId, SskdfDigestAlgorithmId, get_kbkdf_ctr_hmac_algorithm,
    get_sskdf_digest_algorithm, kbkdf_ctr_hmac, sskdf_digest,
};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OaepAlgorithm};
use zeroize::Zeroizing;

use super::reader::{Reader, Unreadable};

/// A hash algorithm (`TPMI_ALG_HASH`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub fn read(reader: &mut Reader<'_>, part: &'static str) -> Result<Self, Unreadable> {
        match reader.u16(part)? {
            0x000b => Ok(Self::Sha256),
            0x000c => Ok(Self::Sha384),
            _ => Err(Unreadable::Value(part)),
        }
    }

    pub fn id(self) -> u16 {
        match self {
            Self::Sha256 => 0x000b,
            Self::Sha384 => 0x000c,
        }
    }

    /// In bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    pub fn of(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        };
        digest(algorithm, bytes)
    }

    pub fn mac(self, key: &[u8], message: &[u8]) -> hmac::Tag {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), message)
    }

    pub fn oaep(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
            Self::Sha384 => &OAEP_SHA384_MGF1SHA384,
        }
    }

    /// `KDFa` (Part 1, section 11.4.10.2): SP 800-108 in counter mode, over the label, a zero, the
    /// context and the length in bits. `None` where the library does not know it.
    pub fn kdf_a(
        self,
        key: &[u8],
        label: &[u8],
        context: &[u8],
        length: usize,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let id = match self {
            Self::Sha256 => KbkdfCtrHmacAlgorithmId::Sha256,
            Self::Sha384 => KbkdfCtrHmacAlgorithmId::Sha384,
        };
        let bits = u32::try_from(length).ok()?.checked_mul(8)?.to_be_bytes();
        let info = [label, &[0], context, &bits].concat();
        let mut out = Zeroizing::new(vec![0; length]);
        kbkdf_ctr_hmac(get_kbkdf_ctr_hmac_algorithm(id)?, key, &info, &mut out).ok()?;
        Some(out)
    }

    /// `KDFe` (Part 1, section 11.4.10.3) of as many bytes as the hash has: SP 800-56A, over what was
    /// agreed on, the use with a zero after it, and both parties' x coordinates.
    pub fn kdf_e(
        self,
        agreed: &[u8],
        purpose: &[u8],
        (theirs, ours): (&[u8], &[u8]),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let id = match self {
            Self::Sha256 => SskdfDigestAlgorithmId::Sha256,
            Self::Sha384 => SskdfDigestAlgorithmId::Sha384,
        };
        let info = [purpose, &[0], theirs, ours].concat();
        let mut out = Zeroizing::new(vec![0; self.length()]);
        sskdf_digest(get_sskdf_digest_algorithm(id)?, agreed, &info, &mut out).ok()?;
        Some(out)
    }
}
