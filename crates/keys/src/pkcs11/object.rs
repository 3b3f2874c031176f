//! Keys in a token: made, found, used and removed.

use std::collections::BTreeSet;

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use enlist_pki::{KeyKind, PublicKey};
use pkcs8::ObjectIdentifier;
use pkcs8::der::Encode;

use super::Token;
use crate::ecdsa;
use crate::store::KeyStoreError;

/// `CKA_ID` of our keys: 128 random bits.
pub(crate) type KeyId = [u8; 16];

impl Token {
    /// Makes a key pair that stays in the token. `None` where it knows no such keys.
    pub fn make_key(&self, kind: KeyKind, id: KeyId) -> Result<Option<PublicKey>, KeyStoreError> {
        let Some(curve) = curve_der(kind) else {
            return Ok(None);
        };
        let ours = |class| self.template(class, Some(id));
        let mut public = ours(ObjectClass::PUBLIC_KEY);
        public.extend([
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::KeyType(KeyType::EC),
            Attribute::EcParams(curve),
            Attribute::Verify(true),
        ]);
        let mut private = ours(ObjectClass::PRIVATE_KEY);
        private.extend([
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::KeyType(KeyType::EC),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        self.session("make a key", |session| {
            // Where the token was lost in the middle of this, there may be half a key.
            self.remove_in(session, id)?;
            match session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private) {
                Ok((handle, _)) => public_key(session, handle, kind),
                Err(Error::Pkcs11(
                    RvError::CurveNotSupported
                    | RvError::DomainParamsInvalid
                    | RvError::MechanismInvalid,
                    _,
                )) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// The public half of a key whose private half is there too; `None` where one is missing.
    pub fn find(&self, id: KeyId) -> Result<Option<PublicKey>, KeyStoreError> {
        let public = self.template(ObjectClass::PUBLIC_KEY, Some(id));
        let private = self.template(ObjectClass::PRIVATE_KEY, Some(id));
        self.sought("show a key", |session| {
            let (Some(public), Some(_)) = (
                session.find_objects(&public)?.first().copied(),
                session.find_objects(&private)?.first().copied(),
            ) else {
                return Ok(None);
            };
            for kind in [KeyKind::P256, KeyKind::P384] {
                if let Some(key) = public_key(session, public, kind)? {
                    return Ok(Some(key));
                }
            }
            Ok(None)
        })
    }

    /// Signs a digest, and returns `Ecdsa-Sig-Value`; `None` where the key is gone. Whether it
    /// verifies is for the caller to see.
    pub fn sign(&self, id: KeyId, digest: &[u8]) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let private = self.template(ObjectClass::PRIVATE_KEY, Some(id));
        self.sought("sign", |session| {
            let Some(key) = session.find(id, &private)? else {
                return Ok(None);
            };
            let signature = session.sign(&Mechanism::Ecdsa, key, digest)?;
            let (r, s) = signature.split_at(signature.len() / 2);
            Ok(Some(ecdsa::signature(r, s).unwrap_or_default()))
        })
    }

    /// Removes a key, its private half first; fine if there is none.
    pub fn remove(&self, id: KeyId) -> Result<(), KeyStoreError> {
        self.session("remove a key", |session| self.remove_in(session, id))
    }

    /// Removes all keys under our label but these, and says how many.
    pub fn remove_others(&self, keep: &[KeyId]) -> Result<usize, KeyStoreError> {
        self.session("remove keys", |session| {
            let mut others = BTreeSet::new();
            for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
                for object in session.find_objects(&self.template(class, None))? {
                    let id = session.get_attributes(object, &[AttributeType::Id])?;
                    if let Some(Attribute::Id(id)) = id.into_iter().next()
                        && let Ok(id) = KeyId::try_from(id)
                        && !keep.contains(&id)
                    {
                        others.insert(id);
                    }
                }
            }
            for id in &others {
                self.remove_in(session, *id)?;
            }
            Ok(others.len())
        })
    }

    fn remove_in(&self, session: &Session, id: KeyId) -> Result<(), Error> {
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            for object in session.find_objects(&self.template(class, Some(id)))? {
                session.destroy_object(object)?;
            }
        }
        Ok(())
    }

    fn template(&self, class: ObjectClass, id: Option<KeyId>) -> Vec<Attribute> {
        let mut template = vec![
            Attribute::Class(class),
            Attribute::Label(self.spec.label.clone().into_bytes()),
        ];
        template.extend(id.map(|id| Attribute::Id(id.to_vec())));
        template
    }
}

/// The public key that an object holds, if it is one of this kind.
fn public_key(
    session: &Session,
    object: ObjectHandle,
    kind: KeyKind,
) -> Result<Option<PublicKey>, Error> {
    let asked = [AttributeType::EcParams, AttributeType::EcPoint];
    let (mut curve, mut point) = (None, None);
    for attribute in session.get_attributes(object, &asked)? {
        match attribute {
            Attribute::EcParams(der) => curve = Some(der),
            Attribute::EcPoint(der) => point = Some(der),
            _ => {}
        }
    }
    if curve.is_none() || curve != curve_der(kind) {
        return Ok(None);
    }
    Ok(point.and_then(|point| {
        // An OCTET STRING around the point, by the standard; some tokens leave it out.
        let point = match point.len() {
            67 | 99 => point.get(2..)?,
            _ => point.as_slice(),
        };
        let (format, coordinates) = point.split_first()?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        (*format == 4).then(|| PublicKey::from_point(kind, x, y).ok())?
    }))
}

/// The DER of a curve's name, `ECParameters` of RFC 3279 section 2.3.5.
fn curve_der(kind: KeyKind) -> Option<Vec<u8>> {
    let curve = match kind {
        KeyKind::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        KeyKind::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        KeyKind::Ed25519 | KeyKind::Rsa(_) => return None,
    };
    curve.to_der().ok()
}
