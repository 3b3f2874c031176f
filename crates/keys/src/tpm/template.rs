//! What kinds of object we make (TPM 2.0 Library, Part 2, section 12.2).

use enlist_pki::KeyKind;
use tpm2_protocol::basic::TpmUint16;
use tpm2_protocol::data::{
    Tpm2bEccParameter, Tpm2bPublic, TpmAlgId, TpmEccCurve, TpmaObject, TpmsEccParms, TpmsEccPoint,
    TpmsKeyedhashParms, TpmtKdfScheme, TpmtPublic, TpmtSymDef, TpmuPublicId, TpmuPublicParms,
    TpmuSymKeyBits, TpmuSymMode,
};

use super::Failure;

/// The storage root key as the TCG describes it (TPM v2.0 Provisioning Guidance, section
/// 7.5.1, template H-2): P-256, AES-128-CFB. The same owner seed always makes the same key.
pub(super) fn storage_root() -> Result<Tpm2bPublic, Failure> {
    let nothing = Tpm2bEccParameter::try_from(&[0; 32][..])?;
    Ok(object(
        TpmAlgId::Ecc,
        attributes(&[
            TpmaObject::SENSITIVE_DATA_ORIGIN,
            TpmaObject::RESTRICTED,
            TpmaObject::DECRYPT,
        ]),
        TpmuPublicParms::Ecc(TpmsEccParms {
            symmetric: TpmtSymDef {
                algorithm: TpmAlgId::Aes,
                key_bits: TpmuSymKeyBits::Aes(TpmUint16::from(128)),
                mode: TpmuSymMode::Aes(TpmAlgId::Cfb),
            },
            curve_id: TpmEccCurve::NistP256,
            ..no_scheme()
        }),
        TpmuPublicId::Ecc(TpmsEccPoint {
            x: nothing,
            y: nothing,
        }),
    ))
}

/// Whether an object is a storage root key like the one above, from whatever seed.
pub(super) fn is_storage_root(public: &TpmtPublic) -> bool {
    storage_root().is_ok_and(|template| {
        template.inner
            == TpmtPublic {
                unique: template.inner.unique.clone(),
                ..public.clone()
            }
    })
}

/// A key that signs and does nothing else; `None` where we make none of this kind.
pub(super) fn signing(kind: KeyKind) -> Option<Tpm2bPublic> {
    let (curve_id, _) = curve(kind)?;
    Some(object(
        TpmAlgId::Ecc,
        attributes(&[TpmaObject::SENSITIVE_DATA_ORIGIN, TpmaObject::SIGN_ENCRYPT]),
        TpmuPublicParms::Ecc(TpmsEccParms {
            curve_id,
            ..no_scheme()
        }),
        TpmuPublicId::Ecc(TpmsEccPoint::default()),
    ))
}

/// The TPM's names of a curve and of the hash that goes with it.
pub(super) fn curve(kind: KeyKind) -> Option<(TpmEccCurve, TpmAlgId)> {
    match kind {
        KeyKind::P256 => Some((TpmEccCurve::NistP256, TpmAlgId::Sha256)),
        KeyKind::P384 => Some((TpmEccCurve::NistP384, TpmAlgId::Sha384)),
        KeyKind::Ed25519 | KeyKind::Rsa(_) => None,
    }
}

/// Data that this TPM alone gives back. It came from outside, so its origin is not claimed.
pub(super) fn sealed() -> Tpm2bPublic {
    object(
        TpmAlgId::KeyedHash,
        attributes(&[]),
        TpmuPublicParms::KeyedHash(TpmsKeyedhashParms::default()),
        TpmuPublicId::KeyedHash(tpm2_protocol::data::Tpm2bDigest::default()),
    )
}

/// Bound to this TPM and parent, used without a password. There is none to guess, so what
/// other programs guess wrongly must not lock it either (`noDA`).
pub(super) fn attributes(more: &[TpmaObject]) -> TpmaObject {
    let always = TpmaObject::FIXED_TPM
        | TpmaObject::FIXED_PARENT
        | TpmaObject::USER_WITH_AUTH
        | TpmaObject::NO_DA;
    more.iter().fold(always, |all, one| all | *one)
}

pub(super) fn object(
    object_type: TpmAlgId,
    object_attributes: TpmaObject,
    parameters: TpmuPublicParms,
    unique: TpmuPublicId,
) -> Tpm2bPublic {
    Tpm2bPublic {
        inner: TpmtPublic {
            object_type,
            name_alg: TpmAlgId::Sha256,
            object_attributes,
            auth_policy: tpm2_protocol::data::Tpm2bDigest::default(),
            parameters,
            unique,
        },
    }
}

pub(super) fn no_scheme() -> TpmsEccParms {
    TpmsEccParms {
        symmetric: TpmtSymDef {
            algorithm: TpmAlgId::Null,
            ..TpmtSymDef::default()
        },
        scheme: tpm2_protocol::data::TpmtEccScheme::default(),
        curve_id: TpmEccCurve::NistP256,
        kdf: TpmtKdfScheme::default(),
    }
}
