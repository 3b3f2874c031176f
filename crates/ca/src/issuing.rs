//! A tenant's issuing CA, ready to issue.

use enlist_pki::{Certificate, Extension, KeyPurpose, KeyUse};

use crate::{Authority, IssueRefusal};

/// Where the world learns of revocations, if the server has a public address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers {
    /// The URL of this CA's revocation list.
    pub crl: Option<String>,
    /// The URL of its OCSP responder.
    pub ocsp: Option<String>,
}

/// An issuing CA, with whatever is the same in all its certificates encoded once.
#[derive(Debug, Clone)]
pub struct IssuingCa {
    pub(crate) authority: Authority,
    pub(crate) parts: Parts,
}

/// The extensions that don't change from device to device.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub key_usage: Extension,
    pub client: Extension,
    pub client_and_server: Extension,
    pub pointers: Vec<Extension>,
}

impl IssuingCa {
    /// Makes ready to issue.
    ///
    /// # Errors
    /// It is the root or the service CA, or a URL is not one.
    pub fn new(authority: Authority, pointers: &Pointers) -> Result<Self, IssueRefusal> {
        if authority.is_service_ca() || authority.is_root() {
            return Err(IssueRefusal::WrongCa);
        }
        let mut encoded = Vec::with_capacity(2);
        if let Some(url) = &pointers.crl {
            encoded.push(Extension::crl_url(url)?);
        }
        if let Some(url) = &pointers.ocsp {
            encoded.push(Extension::ocsp_url(url)?);
        }
        let parts = Parts {
            key_usage: Extension::key_usage(&[KeyUse::DigitalSignature])?,
            client: Extension::key_purposes(&[KeyPurpose::ClientAuth])?,
            client_and_server: Extension::key_purposes(&[
                KeyPurpose::ClientAuth,
                KeyPurpose::ServerAuth,
            ])?,
            pointers: encoded,
        };
        Ok(Self { authority, parts })
    }

    /// The same CA signed by itself, for consumers to anchor at: OpenSSL takes no trust anchor
    /// but one that signed itself, and anchored at the root it would take every tenant's devices.
    /// Each call makes another one; each is as good as any other.
    ///
    /// # Errors
    /// The key could not sign.
    pub fn anchor(&self) -> Result<Certificate, IssueRefusal> {
        self.authority.signed_by_itself()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        self.authority.certificate()
    }
}
