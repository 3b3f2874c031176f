//! The endorsement key: the one thing about a TPM that its manufacturer vouches for.
//!
//! Templates and places are those of the TCG EK Credential Profile for TPM family 2.0, version 2.5,
//! sections 2.2.1 and B.3 to B.4. The key itself is made again from its template whenever it is needed,
//! or taken from where it is kept already.

use tpm2_protocol::basic::{TpmUint16, TpmUint32};
use tpm2_protocol::data::{
    Tpm2bDigest, Tpm2bEccParameter, Tpm2bPublic, Tpm2bPublicKeyRsa, TpmAlgId, TpmEccCurve,
    TpmRcBase, TpmRh, TpmaObject, TpmsEccParms, TpmsEccPoint, TpmsRsaParms, TpmtPublic,
    TpmtRsaScheme, TpmtSymDef, TpmuPublicId, TpmuPublicParms, TpmuSymKeyBits, TpmuSymMode,
};

use super::{Failure, Tpm, nv, template};

/// Where the certificates of endorsement keys are, and those of the CAs above them.
const CERTIFICATES: (u32, u32) = (0x01c0_0000, 0x01c0_00ff);
const ABOVE: (u32, u32) = (0x01c0_0100, 0x01c0_01ff);

/// Where endorsement keys are kept, if anybody keeps them. What is above is for device keys.
const KEPT: (u32, u32) = (0x8101_0000, 0x8101_7fff);

const MAKE: &str = "make its endorsement key";

/// The most certificates of CAs that are taken along.
const MOST_ABOVE: usize = 7;

/// An endorsement key, loaded or kept.
pub(crate) struct Endorsed {
    /// Where it is now.
    pub handle: u32,
    /// Whether it is to be flushed.
    is_loaded: bool,
    /// What it is.
    pub public: TpmtPublic,
    /// Its certificate, DER; none where the manufacturer left none.
    pub certificate: Option<Vec<u8>>,
}

impl Tpm {
    /// Lets `work` use the endorsement key: the first for which there is a certificate, or, where there
    /// is none at all, the one that every TPM can make.
    pub(crate) fn with_endorsement<T>(
        &mut self,
        work: impl FnOnce(&mut Self, &Endorsed) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let found = self.endorsement()?;
        match found.is_loaded {
            true => self.flushed(found.handle, |tpm, _| work(tpm, &found)),
            false => work(self, &found),
        }
    }

    /// The certificates of CAs above those of endorsement keys, DER.
    pub(crate) fn certificates_above(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        let (first, last) = ABOVE;
        let mut content = Vec::new();
        for index in self.handles(first, last)? {
            // One certificate may go on at the next index.
            content.extend(self.nv(index)?.unwrap_or_default());
        }
        let mut above = nv::certificates(&content);
        above.truncate(MOST_ABOVE);
        Ok(above)
    }

    fn endorsement(&mut self) -> Result<Endorsed, Failure> {
        let (first, last) = CERTIFICATES;
        let indexes = self.handles(first, last)?;
        for one in TEMPLATES.iter().filter(|one| indexes.contains(&one.index)) {
            let content = self.nv(one.index)?.unwrap_or_default();
            let Some(leaf) = nv::certificates(&content).into_iter().next() else {
                continue;
            };
            if let Some(found) = self.made_by(one, Some(&leaf))? {
                return Ok(found);
            }
        }
        let [rsa, p256, ..] = &TEMPLATES;
        match self.made_by(rsa, None) {
            // There are TPMs without RSA.
            Ok(None) | Err(Failure::Refused(..)) => match self.made_by(p256, None)? {
                Some(found) => Ok(found),
                None => Err(Failure::Refused(MAKE, TpmRcBase::Value)),
            },
            Ok(Some(found)) => Ok(found),
            Err(error) => Err(error),
        }
    }

    /// The key of a template that `certificate` is over, or any; `None` where there is none.
    fn made_by(
        &mut self,
        one: &Template,
        certificate: Option<&[u8]>,
    ) -> Result<Option<Endorsed>, Failure> {
        let fits = |public: &TpmtPublic| {
            certificate.is_none_or(|certificate| is_over(certificate, &public.unique))
        };
        let endorsed = |handle, is_loaded, public| Endorsed {
            handle,
            is_loaded,
            public,
            certificate: certificate.map(<[u8]>::to_vec),
        };
        let (first, last) = KEPT;
        for handle in self.handles(first, last)? {
            let Some(Tpm2bPublic { inner }) = self.public_at(handle)? else {
                continue;
            };
            if one.is_like(&inner)? && fits(&inner) {
                return Ok(Some(endorsed(handle, false, inner)));
            }
        }
        for filled in one.fillings() {
            let made = self.create_primary(TpmRh::Endorsement, one.public(filled)?, MAKE);
            let handle = match made {
                // It does not take this one, and may take the next.
                Err(refused @ Failure::Refused(..)) if refused.is_about_the_template() => continue,
                made => made?,
            };
            match self.public_at(handle) {
                Ok(Some(Tpm2bPublic { inner })) if fits(&inner) => {
                    return Ok(Some(endorsed(handle, true, inner)));
                }
                other => {
                    self.flush(handle)?;
                    other?;
                }
            }
        }
        Ok(None)
    }
}

impl Endorsed {
    /// Whether it is used by policy, and not by its password, which is empty.
    pub fn wants_policy(&self) -> bool {
        !self
            .public
            .object_attributes
            .contains(TpmaObject::USER_WITH_AUTH)
    }
}

/// A kind of endorsement key, and where its certificate is.
struct Template {
    index: u32,
    key: Key,
    /// Of the high range, whose keys are used by password too.
    is_high: bool,
}

#[derive(Clone, Copy)]
enum Key {
    Rsa(u16),
    P256,
    P384,
}

/// The templates L-1, L-2, H-1, H-2, H-3, H-6 and H-7. RSA comes first: it is the key that lists of
/// endorsement keys have, and the one whose certificate hardly any TPM lacks.
const TEMPLATES: [Template; 7] = [
    Template::new(0x01c0_0002, Key::Rsa(2048), false),
    Template::new(0x01c0_000a, Key::P256, false),
    Template::new(0x01c0_0012, Key::Rsa(2048), true),
    Template::new(0x01c0_0014, Key::P256, true),
    Template::new(0x01c0_0016, Key::P384, true),
    Template::new(0x01c0_001c, Key::Rsa(3072), true),
    Template::new(0x01c0_001e, Key::Rsa(4096), true),
];

/// `PolicySecret` of the endorsement hierarchy: policy A, SHA-256.
const POLICY_A: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];
/// That, or what an index says: policy B, SHA-256.
const POLICY_B: [u8; 32] = [
    0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34, 0x24, 0x14, 0xef, 0xcf, 0xb3,
    0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0,
];
/// The same, SHA-384.
const POLICY_B_384: [u8; 48] = [
    0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,
    0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,
    0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12,
];

impl Template {
    const fn new(index: u32, key: Key, is_high: bool) -> Self {
        Self {
            index,
            key,
            is_high,
        }
    }

    /// How `unique` is filled: with zeros in the low range, with nothing in the high one. Some makers
    /// have it the other way round.
    fn fillings(&self) -> [bool; 2] {
        [!self.is_high, self.is_high]
    }

    /// Whether a key is of this kind, whichever it is.
    fn is_like(&self, public: &TpmtPublic) -> Result<bool, Failure> {
        let mine = self.public(true)?.inner;
        let unique = mine.unique.clone();
        let theirs = TpmtPublic {
            unique,
            ..public.clone()
        };
        Ok(mine == theirs)
    }

    /// The template itself.
    fn public(&self, filled: bool) -> Result<Tpm2bPublic, Failure> {
        let zeros = [0; 512];
        let zeros = |length: usize| &zeros[..if filled { length } else { 0 }];
        let (parameters, unique) = match self.key {
            Key::Rsa(bits) => {
                let modulus = Tpm2bPublicKeyRsa::try_from(zeros(usize::from(bits) / 8))?;
                (self.rsa(bits), TpmuPublicId::Rsa(modulus))
            }
            Key::P256 | Key::P384 => {
                let length = if matches!(self.key, Key::P256) {
                    32
                } else {
                    48
                };
                let nothing = Tpm2bEccParameter::try_from(zeros(length))?;
                let point = TpmsEccPoint {
                    x: nothing,
                    y: nothing,
                };
                (self.ecc(), TpmuPublicId::Ecc(point))
            }
        };
        Ok(Tpm2bPublic {
            inner: TpmtPublic {
                object_type: match self.key {
                    Key::Rsa(_) => TpmAlgId::Rsa,
                    Key::P256 | Key::P384 => TpmAlgId::Ecc,
                },
                name_alg: match self.is_strong() {
                    false => TpmAlgId::Sha256,
                    true => TpmAlgId::Sha384,
                },
                object_attributes: self.attributes(),
                auth_policy: Tpm2bDigest::try_from(self.policy())?,
                parameters,
                unique,
            },
        })
    }

    fn attributes(&self) -> TpmaObject {
        let always = TpmaObject::FIXED_TPM
            | TpmaObject::FIXED_PARENT
            | TpmaObject::SENSITIVE_DATA_ORIGIN
            | TpmaObject::ADMIN_WITH_POLICY
            | TpmaObject::RESTRICTED
            | TpmaObject::DECRYPT;
        match self.is_high {
            false => always,
            true => always | TpmaObject::USER_WITH_AUTH,
        }
    }

    fn policy(&self) -> &'static [u8] {
        match (self.is_high, self.is_strong()) {
            (false, _) => &POLICY_A,
            (true, false) => &POLICY_B,
            (true, true) => &POLICY_B_384,
        }
    }

    /// Whether it is stronger than what every TPM has: SHA-384 and AES-256 go with it.
    fn is_strong(&self) -> bool {
        !matches!(self.key, Key::Rsa(2048) | Key::P256)
    }

    fn rsa(&self, bits: u16) -> TpmuPublicParms {
        TpmuPublicParms::Rsa(TpmsRsaParms {
            symmetric: self.symmetric(),
            scheme: TpmtRsaScheme::default(),
            key_bits: TpmUint16::from(bits),
            exponent: TpmUint32::from(0),
        })
    }

    fn ecc(&self) -> TpmuPublicParms {
        TpmuPublicParms::Ecc(TpmsEccParms {
            symmetric: self.symmetric(),
            curve_id: match self.key {
                Key::P384 => TpmEccCurve::NistP384,
                Key::P256 | Key::Rsa(_) => TpmEccCurve::NistP256,
            },
            ..template::no_scheme()
        })
    }

    fn symmetric(&self) -> TpmtSymDef {
        let bits = if self.is_strong() { 256 } else { 128 };
        TpmtSymDef {
            algorithm: TpmAlgId::Aes,
            key_bits: TpmuSymKeyBits::Aes(TpmUint16::from(bits)),
            mode: TpmuSymMode::Aes(TpmAlgId::Cfb),
        }
    }
}

/// Whether a certificate holds this key's modulus or point. Whether it is a good one is for the server
/// to say; here it has to be the one that goes with the key.
fn is_over(certificate: &[u8], unique: &TpmuPublicId) -> bool {
    let holds = |part: &[u8]| {
        part.len() >= LEAST && certificate.windows(part.len()).any(|window| window == part)
    };
    match unique {
        TpmuPublicId::Rsa(modulus) => holds(modulus),
        TpmuPublicId::Ecc(point) => holds(&point.x) && holds(&point.y),
        _ => false,
    }
}

/// No key's parts are shorter, leading zeros dropped or not.
const LEAST: usize = 24;
