use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Binary, SecretText, Time};

/// An issuing CA of a tenant. Item of `GET /v1/tenants/{tenant}/cas`, and reply to what changes one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ca {
    /// Its id, which the addresses of its CRL and certificate hold.
    pub ca_id: Uuid,
    /// How it stands.
    pub standing: CaStanding,
    /// SHA-256 over the DER encoding of its newest certificate, lowercase hexadecimal.
    pub fingerprint: String,
    /// Its newest certificate, PEM.
    pub certificate: String,
    /// What stands above that, PEM, up to the outermost, where a root from outside has signed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Where its private key is.
    pub key: CaKeyPlace,
    /// How many certificates it has issued that have not expired, revoked ones included.
    pub unexpired: u64,
    /// Until when the last of those is valid; its CRL and OCSP answers are needed for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_expiry: Option<Time>,
    /// When it was made known.
    pub created_at: Time,
    /// Its own certificate is valid until.
    pub not_after: Time,
}

/// How an issuing CA stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CaStanding {
    /// Made known; nothing is issued under it yet.
    Next,
    /// The one that issues.
    Current,
    /// It issues nothing more.
    Retired,
}

/// Where the private key of a CA is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CaKeyPlace {
    /// In the database, wrapped by the wrapping key.
    Database,
    /// In a PKCS#11 token.
    Token,
    /// Not within reach.
    Offline,
}

/// Asks for the issuing CA that is to follow the current one. Body of
/// `POST /v1/tenants/{tenant}/cas`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewCa {
    /// Whether a root from elsewhere is to sign it, although the installation's could. Where that one is
    /// offline it is so anyway.
    #[serde(default)]
    pub request: bool,
}

/// What came of asking for an issuing CA, or for its renewal: one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaAdded {
    /// It is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Ca>,
    /// A root from elsewhere has to sign it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<CaRequest>,
}

/// A request for the certificate of an issuing CA. Item of `GET /v1/tenants/{tenant}/ca-requests`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaRequest {
    /// PKCS#10 (RFC 2986), PEM.
    pub csr: String,
    /// Whether it is for another certificate over the key of the CA that issues now.
    pub renews: bool,
    /// When it was made.
    pub created_at: Time,
}

/// Completes a request. Body of `POST /v1/tenants/{tenant}/cas/import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportCa {
    /// The CA's certificate and, unless the installation's root has signed it, all that stands above it
    /// up to its root: PEM, one after the other in any order.
    pub certificates: String,
}

/// Retires the issuing CA of a tenant in favour of the next one. Body of
/// `POST /v1/tenants/{tenant}/cas/retire`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetireCa {
    /// For how many hours the next one has to have been known, so that consumers have taken its anchor
    /// up; 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_h: Option<u32>,
    /// Whether to go on where it has not been; consumers that do not know its anchor turn away whoever
    /// has a certificate under it.
    #[serde(default)]
    pub force: bool,
}

/// Asks for the renewal of an issuing CA. Body of `POST /v1/tenants/{tenant}/cas/renew`; there is nothing
/// to choose yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenewCa {}

/// Asks for a copy of the current root's key. Body of `POST /v1/roots/export`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportRoot {
    /// What encrypts it: 12 characters at least.
    pub passphrase: SecretText,
}

/// The current root with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootExported {
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key, PEM (`ENCRYPTED PRIVATE KEY`, PKCS#8 with PBES2).
    pub key: String,
}

/// Has the server forget the key of the current root. Body of `POST /v1/roots/take-offline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakeRootOffline {
    /// Signature by a copy of that key over `enlist: take the root {fingerprint} offline`, ASN.1 DER:
    /// nothing is forgotten of which there is no copy that works.
    pub signature: Binary,
}
