//! Private keys in memory, from and to PKCS#8.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use enlist_pki::{KeyError, KeyKind, PublicKey, SignError, SignatureScheme, Signer};
use pkcs8::der::pem::{LineEnding, encode_string};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{SecretSlice, SecretString};

/// A private key held in memory, to be kept in a file or, wrapped, in a store.
pub struct FileKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl FileKey {
    /// Makes a new key, with randomness from the cryptographic library's own generator.
    /// RSA comes in 2048, 3072 and 4096 bits.
    ///
    /// # Errors
    /// [`FileKeyError::RsaSize`] for any other size.
    pub fn generate(kind: KeyKind) -> Result<Self, FileKeyError> {
        let pair = match kind {
            KeyKind::P256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::Ecdsa)
            }
            KeyKind::P384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Pair::Ecdsa)
            }
            KeyKind::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            KeyKind::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    other => return Err(FileKeyError::RsaSize(other)),
                };
                rsa::KeyPair::generate(size).map(Pair::Rsa)
            }
        };
        Self::new(pair.map_err(|_| FileKeyError::Library)?)
    }

    /// Reads an unencrypted PKCS#8 `PrivateKeyInfo` (RFC 5208).
    ///
    /// # Errors
    /// It is not one, or its key is of a kind we do not take.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, FileKeyError> {
        for algorithm in [
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &ECDSA_P384_SHA384_ASN1_SIGNING,
        ] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(algorithm, der) {
                return Self::new(Pair::Ecdsa(pair));
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Self::new(Pair::Ed25519(pair));
        }
        match rsa::KeyPair::from_pkcs8(der) {
            Ok(pair) => Self::new(Pair::Rsa(pair)),
            Err(_) => Err(FileKeyError::Unreadable),
        }
    }

    /// Reads the first private key in a PEM text: PKCS#8, or what older tools write
    /// (`EC PRIVATE KEY` of RFC 5915, `RSA PRIVATE KEY` of RFC 8017). Encrypted keys are
    /// not read.
    ///
    /// # Errors
    /// As [`FileKey::from_pkcs8_der`].
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, FileKeyError> {
        let der =
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| FileKeyError::Unreadable)?;
        match &der {
            PrivateKeyDer::Pkcs8(der) => Self::from_pkcs8_der(der.secret_pkcs8_der()),
            PrivateKeyDer::Sec1(der) => [
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &ECDSA_P384_SHA384_ASN1_SIGNING,
            ]
            .into_iter()
            .find_map(|alg| EcdsaKeyPair::from_private_key_der(alg, der.secret_sec1_der()).ok())
            .map_or(Err(FileKeyError::Unreadable), |pair| {
                Self::new(Pair::Ecdsa(pair))
            }),
            PrivateKeyDer::Pkcs1(der) => match rsa::KeyPair::from_der(der.secret_pkcs1_der()) {
                Ok(pair) => Self::new(Pair::Rsa(pair)),
                Err(_) => Err(FileKeyError::Unreadable),
            },
            _ => Err(FileKeyError::Unreadable),
        }
    }

    /// The key as an unencrypted PKCS#8 `PrivateKeyInfo`, version 1.
    ///
    /// # Errors
    /// The library's; none that is known.
    pub fn to_pkcs8_der(&self) -> Result<SecretSlice<u8>, FileKeyError> {
        let der = match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec())
            }
        };
        Ok(SecretSlice::from(der.map_err(|_| FileKeyError::Library)?))
    }

    /// The same as PEM text, `PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`FileKey::to_pkcs8_der`].
    pub fn to_pkcs8_pem(&self) -> Result<SecretString, FileKeyError> {
        use secrecy::ExposeSecret;
        let der = self.to_pkcs8_der()?;
        encode_string("PRIVATE KEY", LineEnding::LF, der.expose_secret())
            .map(SecretString::from)
            .map_err(|_| FileKeyError::Library)
    }

    fn new(pair: Pair) -> Result<Self, FileKeyError> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
        }
        .map_err(|_| FileKeyError::Library)?;
        let public = PublicKey::from_spki_der(spki.as_ref())?;
        Ok(Self { pair, public })
    }
}

impl Signer for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let kind = self.public.kind();
        let signature = match (&self.pair, scheme) {
            (
                Pair::Ecdsa(pair),
                SignatureScheme::EcdsaP256Sha256 | SignatureScheme::EcdsaP384Sha384,
            ) if scheme == SignatureScheme::of(kind) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec()),
            (Pair::Ed25519(pair), SignatureScheme::Ed25519) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
            (Pair::Rsa(pair), SignatureScheme::RsaPkcs1Sha256) => {
                sign_rsa(pair, &RSA_PKCS1_SHA256, message)
            }
            (Pair::Rsa(pair), SignatureScheme::RsaPssSha256) => {
                sign_rsa(pair, &RSA_PSS_SHA256, message)
            }
            _ => return Err(SignError::Unsupported { kind, scheme }),
        };
        signature.map_err(|_| SignError::Failed(Box::new(FileKeyError::Library)))
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileKey").field(&self.public).finish()
    }
}

/// A private key that cannot be made, read or used. Never says anything of the key.
#[derive(Debug, thiserror::Error)]
pub enum FileKeyError {
    /// Not a private key we can read.
    #[error("not a readable private key: expected PKCS#8, unencrypted")]
    Unreadable,
    /// Read, but against our rules.
    #[error("the private key is not taken")]
    Key(#[from] KeyError),
    /// An RSA size we do not make.
    #[error("RSA keys of {0} bits are not made: choose 2048, 3072 or 4096")]
    RsaSize(u32),
    /// The cryptographic library refused, without saying why.
    #[error("the cryptographic library failed")]
    Library,
}

fn sign_rsa(
    pair: &rsa::KeyPair,
    encoding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}
