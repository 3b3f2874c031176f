//! A TPM that proves itself.

use enlist_pki::{KeyKind, PublicKey};
use tpm2_protocol::TpmUnmarshal;
use tpm2_protocol::data::{Tpm2bEncryptedSecret, Tpm2bIdObject, TpmRcBase, TpmuPublicId};

use super::{Attestor, Certified, Endorsement};
use crate::store::{KeyReference, KeyStoreError, StoreKind, TpmAddress, TpmPlace};
use crate::tpm::{Failure, Found, Tpm, public_bytes};

/// A TPM, reached anew for each thing asked.
pub(super) struct TpmAttestor {
    address: TpmAddress,
}

/// What came of looking for the device's key.
enum Stated {
    Nothing,
    Another,
    This(Certified),
}

impl TpmAttestor {
    pub fn new(address: TpmAddress) -> Self {
        Self { address }
    }

    fn ask<T>(&self, work: impl Fn(&mut Tpm) -> Result<T, Failure>) -> Result<T, KeyStoreError> {
        Tpm::with(&self.address, work).map_err(|failure| failure.explain(&self.address))
    }

    fn unusable(&self, why: &'static str) -> KeyStoreError {
        KeyStoreError::Refused {
            what: format!("the TPM at {}", Tpm::place(&self.address)),
            doing: "open the server's challenge",
            source: why.into(),
        }
    }
}

impl Attestor for TpmAttestor {
    fn endorsement(&self) -> Result<Endorsement, KeyStoreError> {
        self.ask(|tpm| {
            // One after the other: some TPMs hold no more than three keys at once.
            let (ek_public, ek_key, own) = tpm.with_endorsement(|_, endorsed| {
                let odd = || Failure::Refused("make an endorsement key", TpmRcBase::Key);
                Ok((
                    public_bytes(&endorsed.public)?,
                    key(&endorsed.public.unique).ok_or_else(odd)?,
                    endorsed.certificate.clone(),
                ))
            })?;
            let ek_certificates = match own {
                Some(own) => [vec![own], tpm.certificates_above()?].concat(),
                None => Vec::new(),
            };
            let ak_public = tpm.with_attestation_key(Tpm::public_bytes)?;
            Ok(Endorsement {
                ek_public,
                ek_key,
                ek_certificates,
                ak_public,
            })
        })
    }

    fn certify(&self, key: &KeyReference, data: &[u8; 32]) -> Result<Certified, KeyStoreError> {
        let place = TpmPlace::parse(key)?;
        let stated = self.ask(|tpm| {
            match tpm.find(place.handle)? {
                Found::Nothing => return Ok(Stated::Nothing),
                Found::Key(point) if place.is_of(&point) => {}
                Found::Key(_) | Found::Other => return Ok(Stated::Another),
            }
            let key_public = tpm.public_bytes(place.handle)?;
            let statement =
                tpm.with_attestation_key(|tpm, by| tpm.certify(place.handle, by, data))?;
            Ok(Stated::This(Certified {
                key_public,
                certify_info: statement.info,
                signature: statement.signature,
            }))
        })?;
        match stated {
            Stated::This(certified) => Ok(certified),
            Stated::Nothing => Err(KeyStoreError::Gone(StoreKind::Tpm)),
            Stated::Another => Err(place.another()),
        }
    }

    fn activate(
        &self,
        credential_blob: &[u8],
        encrypted_secret: &[u8],
    ) -> Result<[u8; 32], KeyStoreError> {
        let read = || {
            let (blob, rest) = Tpm2bIdObject::unmarshal(credential_blob).ok()?;
            let (secret, more) = Tpm2bEncryptedSecret::unmarshal(encrypted_secret).ok()?;
            (rest.is_empty() && more.is_empty()).then_some((blob, secret))
        };
        let (blob, secret) = read().ok_or_else(|| self.unusable("it is damaged"))?;
        let opened = self.ask(|tpm| {
            tpm.with_endorsement(|tpm, endorsed| {
                tpm.with_attestation_key(|tpm, key| tpm.activate(key, endorsed, blob, secret))
            })
        })?;
        <[u8; 32]>::try_from(&opened[..]).map_err(|_| self.unusable("it is not of 32 bytes"))
    }
}

fn key(unique: &TpmuPublicId) -> Option<PublicKey> {
    match unique {
        // Endorsement keys have the exponent that a TPM takes where it is told none.
        TpmuPublicId::Rsa(modulus) => PublicKey::from_modulus(modulus, 65_537).ok(),
        TpmuPublicId::Ecc(point) => {
            let kind = match point.x.len() {
                ..=32 => KeyKind::P256,
                _ => KeyKind::P384,
            };
            PublicKey::from_point(kind, &point.x, &point.y).ok()
        }
        _ => None,
    }
}
