//! Any signer, as rustls wants to see it.

use std::fmt;
use std::sync::Arc;

use enlist_pki::{KeyKind, SignatureScheme as Ours, Signer};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::SigningKey;
use rustls::{OtherError, SignatureAlgorithm, SignatureScheme};

pub(super) struct TlsKey(pub Arc<dyn Signer>);

/// What a key of each kind can sign with in TLS, best first. PKCS#1 v1.5 is for TLS 1.2
/// with peers that know no PSS.
fn schemes(kind: KeyKind) -> &'static [(SignatureScheme, Ours)] {
    match kind {
        KeyKind::P256 => &[(
            SignatureScheme::ECDSA_NISTP256_SHA256,
            Ours::EcdsaP256Sha256,
        )],
        KeyKind::P384 => &[(
            SignatureScheme::ECDSA_NISTP384_SHA384,
            Ours::EcdsaP384Sha384,
        )],
        KeyKind::Ed25519 => &[(SignatureScheme::ED25519, Ours::Ed25519)],
        KeyKind::Rsa(_) => &[
            (SignatureScheme::RSA_PSS_SHA256, Ours::RsaPssSha256),
            (SignatureScheme::RSA_PKCS1_SHA256, Ours::RsaPkcs1Sha256),
        ],
    }
}

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let (scheme, ours) = schemes(self.0.public_key().kind())
            .iter()
            .find(|(scheme, _)| offered.contains(scheme))?;
        Some(Box::new(TlsSigner {
            key: Arc::clone(&self.0),
            scheme: *scheme,
            ours: *ours,
        }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(
            self.0.public_key().spki_der(),
        ))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.public_key().kind() {
            KeyKind::P256 | KeyKind::P384 => SignatureAlgorithm::ECDSA,
            KeyKind::Ed25519 => SignatureAlgorithm::ED25519,
            KeyKind::Rsa(_) => SignatureAlgorithm::RSA,
        }
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsKey").field(self.0.public_key()).finish()
    }
}

struct TlsSigner {
    key: Arc<dyn Signer>,
    scheme: SignatureScheme,
    ours: Ours,
}

impl rustls::sign::Signer for TlsSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.key
            .sign_with(self.ours, message)
            .map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for TlsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsSigner").field(&self.scheme).finish()
    }
}
