//! `TPMT_PUBLIC`: the public area of a key in a TPM (Part 2, section 12.2.4).

use enlist_pki::{KeyKind, PublicKey};

use super::hash::Hash;
use super::reader::{Reader, Unreadable};
use super::refusal::{Attribute, TpmKey, TpmRefusal};

/// The public area of an RSA or elliptic-curve key.
#[derive(Debug, Clone)]
pub(super) struct Public {
    /// Which of the three it is, for what is said of it.
    which: TpmKey,
    bytes: Box<[u8]>,
    pub name_hash: Hash,
    attributes: u32,
    pub policy: Box<[u8]>,
    pub symmetric: Option<Aes>,
    pub scheme: Option<Scheme>,
    pub key: PublicKey,
}

/// With which cipher a key protects what is under it: AES in cipher feedback mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aes {
    Bits128,
    Bits256,
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scheme {
    pub algorithm: Signing,
    pub hash: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    RsaSsa,
    RsaPss,
    Ecdsa,
}

impl Signing {
    pub fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0014 => Some(Self::RsaSsa),
            0x0016 => Some(Self::RsaPss),
            0x0018 => Some(Self::Ecdsa),
            _ => None,
        }
    }
}

/// `TPM_ALG_NULL`.
const NULL: u16 = 0x0010;

/// Bits of `TPMA_OBJECT` that mean nothing, and have to be clear.
const RESERVED: u32 = 0xfff0_f009;

impl Public {
    pub fn read(which: TpmKey, bytes: &[u8]) -> Result<Self, TpmRefusal> {
        let unreadable = |source| TpmRefusal::Unreadable {
            what: which.structure(),
            source,
        };
        let mut reader = Reader::new(bytes);
        let area = Area::read(&mut reader).map_err(unreadable)?;
        reader.finish().map_err(unreadable)?;
        let key = match area.material {
            Material::Rsa { modulus, exponent } => PublicKey::from_modulus(modulus, exponent),
            Material::Ecc { kind, x, y } => PublicKey::from_point(kind, x, y),
        }
        .map_err(|source| TpmRefusal::Key { which, source })?;
        if let (KeyKind::Rsa(bits), Some(said)) = (key.kind(), area.bits)
            && bits != u32::from(said)
        {
            return Err(unreadable(Unreadable::Value("keyBits")));
        }
        Ok(Self {
            which,
            bytes: bytes.into(),
            name_hash: area.name_hash,
            attributes: area.attributes,
            policy: area.policy.into(),
            symmetric: area.symmetric,
            scheme: area.scheme,
            key,
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the TPM calls it: the hash algorithm, and the hash of the public area (Part 1, section 16).
    pub fn name(&self) -> Vec<u8> {
        let digest = self.name_hash.of(&self.bytes);
        [&self.name_hash.id().to_be_bytes(), digest.as_ref()].concat()
    }

    /// # Errors
    /// It lacks one of `wanted`, or has one of `unwanted`.
    pub fn require(&self, wanted: &[Attribute], unwanted: &[Attribute]) -> Result<(), TpmRefusal> {
        let which = self.which;
        let has = |one: &Attribute| self.attributes & one.bit() != 0;
        if let Some(attribute) = wanted.iter().copied().find(|one| !has(one)) {
            return Err(TpmRefusal::Lacks { which, attribute });
        }
        match unwanted.iter().copied().find(has) {
            Some(attribute) => Err(TpmRefusal::Has { which, attribute }),
            None => Ok(()),
        }
    }
}

struct Area<'a> {
    name_hash: Hash,
    attributes: u32,
    policy: &'a [u8],
    symmetric: Option<Aes>,
    scheme: Option<Scheme>,
    /// Of an RSA key.
    bits: Option<u16>,
    material: Material<'a>,
}

enum Material<'a> {
    Rsa {
        modulus: &'a [u8],
        exponent: u32,
    },
    Ecc {
        kind: KeyKind,
        x: &'a [u8],
        y: &'a [u8],
    },
}

impl<'a> Area<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Unreadable> {
        let is_rsa = match reader.u16("type")? {
            0x0001 => true,
            0x0023 => false,
            _ => return Err(Unreadable::Value("type")),
        };
        let name_hash = Hash::read(reader, "nameAlg")?;
        let attributes = reader.u32("objectAttributes")?;
        if attributes & RESERVED != 0 {
            return Err(Unreadable::Value("objectAttributes"));
        }
        let policy = reader.sized(64, "authPolicy")?;
        let symmetric = symmetric(reader)?;
        let scheme = scheme(reader, is_rsa)?;
        let (bits, material) = if is_rsa {
            rsa(reader)?
        } else {
            (None, ecc(reader)?)
        };
        Ok(Self {
            name_hash,
            attributes,
            policy,
            symmetric,
            scheme,
            bits,
            material,
        })
    }
}

fn rsa<'a>(reader: &mut Reader<'a>) -> Result<(Option<u16>, Material<'a>), Unreadable> {
    let bits = reader.u16("keyBits")?;
    if ![2048, 3072, 4096].contains(&bits) {
        return Err(Unreadable::Value("keyBits"));
    }
    // Zero stands for the one that everybody uses.
    let exponent = match reader.u32("exponent")? {
        0 => 65537,
        other => other,
    };
    let modulus = reader.sized(512, "unique")?;
    if modulus.len() != usize::from(bits) / 8 {
        return Err(Unreadable::Value("unique"));
    }
    Ok((Some(bits), Material::Rsa { modulus, exponent }))
}

fn ecc<'a>(reader: &mut Reader<'a>) -> Result<Material<'a>, Unreadable> {
    let kind = match reader.u16("curveID")? {
        0x0003 => KeyKind::P256,
        0x0004 => KeyKind::P384,
        _ => return Err(Unreadable::Value("curveID")),
    };
    if reader.u16("kdf")? != NULL {
        return Err(Unreadable::Value("kdf"));
    }
    let x = reader.sized(48, "unique.x")?;
    let y = reader.sized(48, "unique.y")?;
    Ok(Material::Ecc { kind, x, y })
}

/// `TPMT_SYM_DEF_OBJECT`.
fn symmetric(reader: &mut Reader<'_>) -> Result<Option<Aes>, Unreadable> {
    const PART: &str = "symmetric";
    match reader.u16(PART)? {
        NULL => Ok(None),
        0x0006 => match (reader.u16(PART)?, reader.u16(PART)?) {
            (128, 0x0043) => Ok(Some(Aes::Bits128)),
            (256, 0x0043) => Ok(Some(Aes::Bits256)),
            _ => Err(Unreadable::Value(PART)),
        },
        _ => Err(Unreadable::Value(PART)),
    }
}

/// `TPMT_RSA_SCHEME` or `TPMT_ECC_SCHEME`.
fn scheme(reader: &mut Reader<'_>, is_rsa: bool) -> Result<Option<Scheme>, Unreadable> {
    const PART: &str = "scheme";
    let id = reader.u16(PART)?;
    if id == NULL {
        return Ok(None);
    }
    let algorithm = Signing::from_id(id)
        .filter(|algorithm| (*algorithm != Signing::Ecdsa) == is_rsa)
        .ok_or(Unreadable::Value(PART))?;
    let hash = Hash::read(reader, PART)?;
    Ok(Some(Scheme { algorithm, hash }))
}
