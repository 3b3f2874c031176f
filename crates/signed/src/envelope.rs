use base64ct::{Base64, Encoding};
use enlist_pki::{PublicKey, SignError, Signer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{KeyId, Statement};

/// A statement with the signatures over it (DSSE v1.0).
///
/// As JSON: `{"payloadType": …, "payload": base64, "signatures": [{"keyid": …, "sig": base64}]}`. What
/// is signed is [`Envelope::message`], not the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    #[serde(with = "base64")]
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Whose it claims to be.
    pub keyid: KeyId,
    /// The signature, in the form that `PublicKey::verify` takes: ECDSA as DER.
    #[serde(with = "base64")]
    pub sig: Vec<u8>,
}

/// A statement that waits for its signature, to be made elsewhere.
#[derive(Clone, Debug)]
pub struct Unsigned(Envelope);

/// A text that is no envelope.
#[derive(Debug, thiserror::Error)]
pub enum MalformedEnvelope {
    /// Longer than any statement may be.
    #[error("the signed statement is longer than {} KiB", Envelope::MAX_LEN / 1024)]
    TooLong,
    /// Not the JSON of one.
    #[error("this is not a signed statement (DSSE)")]
    Json(#[source] serde_json::Error),
}

/// Why a statement is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is of another type than the one expected here.
    #[error("it is a statement of another type, `{0}`")]
    AnotherType(String),
    /// None of the keys that count here has signed it.
    #[error("it is not signed by a key that may sign it")]
    NotSigned,
    /// Signed, and yet not what such a statement says.
    #[error("the signed statement does not read")]
    Unreadable(#[source] serde_json::Error),
}

impl Envelope {
    /// The most bytes of an envelope as JSON.
    pub const MAX_LEN: usize = 512 * 1024;
    const MAX_SIGNATURES: usize = 8;

    /// States `statement` with the signature of `signer`.
    ///
    /// # Errors
    /// Whatever keeps the key from signing.
    pub fn seal<S: Statement>(statement: &S, signer: &dyn Signer) -> Result<Self, SignError> {
        let Unsigned(mut envelope) = Unsigned::new(statement);
        envelope.sign(signer)?;
        Ok(envelope)
    }

    /// Adds the signature of `signer` to those that are there.
    ///
    /// # Errors
    /// Whatever keeps the key from signing.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        let sig = signer.sign(&self.message())?;
        let keyid = KeyId::of(signer.public_key());
        self.signatures.push(Signature { keyid, sig });
        Ok(())
    }

    /// Whether `key` has signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = self.message();
        let id = KeyId::of(key);
        self.signatures
            .iter()
            .take(Self::MAX_SIGNATURES)
            .any(|one| one.keyid == id && key.verify(&message, &one.sig).is_ok())
    }

    /// The statement, if one of `keys` has signed it.
    ///
    /// # Errors
    /// Says why it is not believed. Nothing of it must be used then.
    pub fn open<'a, S: Statement>(
        &self,
        keys: impl IntoIterator<Item = &'a PublicKey>,
    ) -> Result<S, Refused> {
        if self.payload_type != S::TYPE {
            let shown = self.payload_type.chars().take(80).collect();
            return Err(Refused::AnotherType(shown));
        }
        if !keys.into_iter().any(|key| self.is_signed_by(key)) {
            return Err(Refused::NotSigned);
        }
        serde_json::from_slice(&self.payload).map_err(Refused::Unreadable)
    }

    /// What the statement claims, unverified: to find out which keys to ask for. Never to be acted on.
    ///
    /// # Errors
    /// It is of another type, or does not read.
    pub fn claim<S: Statement>(&self) -> Result<S, Refused> {
        if self.payload_type != S::TYPE {
            let shown = self.payload_type.chars().take(80).collect();
            return Err(Refused::AnotherType(shown));
        }
        serde_json::from_slice(&self.payload).map_err(Refused::Unreadable)
    }

    /// The bytes that are signed: DSSE's pre-authentication encoding,
    /// `DSSEv1 <len> <type> <len> <payload>`.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let (kind, payload) = (&self.payload_type, &self.payload);
        let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        message.extend(payload);
        message
    }

    /// The signatures, unverified.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Reads an envelope from JSON.
    ///
    /// # Errors
    /// It is too long, or none.
    pub fn from_json(json: &[u8]) -> Result<Self, MalformedEnvelope> {
        if json.len() > Self::MAX_LEN {
            return Err(MalformedEnvelope::TooLong);
        }
        serde_json::from_slice(json).map_err(MalformedEnvelope::Json)
    }

    /// Reads an envelope from JSON that has been parsed.
    ///
    /// # Errors
    /// It is none.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, MalformedEnvelope> {
        Self::deserialize(value).map_err(MalformedEnvelope::Json)
    }

    /// The envelope as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope is texts")
    }

    /// The envelope as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("an envelope is texts")
    }
}

impl Unsigned {
    /// Makes the bytes of a statement.
    #[must_use]
    pub fn new<S: Statement>(statement: &S) -> Self {
        Self(Envelope {
            payload_type: S::TYPE.to_owned(),
            payload: serde_json::to_vec(statement).expect("a statement is texts and numbers"),
            signatures: Vec::new(),
        })
    }

    /// The bytes to sign.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        self.0.message()
    }

    /// Completes it with a signature over [`Unsigned::message`] that `key`'s other half has made.
    ///
    /// # Errors
    /// The signature is not by that key, or not over this.
    pub fn signed_by(mut self, key: &PublicKey, sig: Vec<u8>) -> Result<Envelope, Refused> {
        let keyid = KeyId::of(key);
        self.0.signatures.push(Signature { keyid, sig });
        if self.0.is_signed_by(key) {
            Ok(self.0)
        } else {
            Err(Refused::NotSigned)
        }
    }
}

/// Standard base64 with padding (RFC 4648 section 4).
mod base64 {
    use super::{Base64, Deserialize, Deserializer, Encoding, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Base64::encode_string(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        Base64::decode_vec(&text).map_err(|_| de::Error::custom("not standard base64"))
    }
}
