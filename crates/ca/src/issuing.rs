//! A tenant's issuing CA, ready to issue.

use std::borrow::Cow;

use enlist_core::Serial;
use enlist_pki::{Certificate, Extension, KeyPurpose, KeyUse};

use crate::{Authority, IssueRefusal, Pointers};

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
    /// What points to the responder and to the CA's certificate.
    pub issuer_urls: Option<Extension>,
    pub crl: CrlPointer,
}

/// What points to the revocation list.
#[derive(Debug, Clone)]
pub(crate) enum CrlPointer {
    /// The same in all certificates, or none.
    One(Option<Extension>),
    /// Each certificate points to its part of it.
    Parts(Pointers),
}

impl IssuingCa {
    /// Makes ready to issue.
    ///
    /// # Errors
    /// It is the root or the service CA, or the URL is not one.
    pub fn new(authority: Authority, pointers: &Pointers) -> Result<Self, IssueRefusal> {
        if authority.is_service_ca() || authority.is_root() {
            return Err(IssueRefusal::WrongCa);
        }
        let parts = Parts {
            key_usage: Extension::key_usage(&[KeyUse::DigitalSignature])?,
            client: Extension::key_purposes(&[KeyPurpose::ClientAuth])?,
            client_and_server: Extension::key_purposes(&[
                KeyPurpose::ClientAuth,
                KeyPurpose::ServerAuth,
            ])?,
            issuer_urls: issuer_urls(pointers)?,
            crl: CrlPointer::new(pointers)?,
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

    /// The CA itself.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        self.authority.certificate()
    }
}

impl CrlPointer {
    fn new(pointers: &Pointers) -> Result<Self, IssueRefusal> {
        let full = pointers.crl_url(None);
        let full = full.map(|url| Extension::crl_url(&url)).transpose()?;
        Ok(if pointers.is_one_list() {
            Self::One(full)
        } else {
            Self::Parts(pointers.clone())
        })
    }

    /// What a certificate of this serial number carries.
    pub(crate) fn of(&self, serial: Serial) -> Result<Option<Cow<'_, Extension>>, IssueRefusal> {
        Ok(match self {
            Self::One(extension) => extension.as_ref().map(Cow::Borrowed),
            Self::Parts(pointers) => {
                let url = pointers.crl_url_of(serial);
                let extension = url.map(|url| Extension::crl_url(&url)).transpose()?;
                extension.map(Cow::Owned)
            }
        })
    }
}

fn issuer_urls(pointers: &Pointers) -> Result<Option<Extension>, IssueRefusal> {
    let (Some(ocsp), Some(issuer)) = (pointers.ocsp_url(), pointers.issuer_url()) else {
        return Ok(None);
    };
    Ok(Some(Extension::issuer_urls(&ocsp, &issuer)?))
}
