//! A CA that can sign.

use std::fmt;
use std::sync::Arc;

use enlist_core::Serial;
use enlist_pki::{
    Certificate, CertificateSpec, DistinguishedName, Extension, PublicKey, SERVER_POLICY_OID,
    Signer, sign_certificate,
};

use crate::IssueRefusal;
use crate::hierarchy::ca_key_usage;
use crate::validity::Validity;

/// A CA's certificate and its key, wherever that lives.
#[derive(Clone)]
pub struct Authority {
    certificate: Certificate,
    name: DistinguishedName,
    signer: Arc<dyn Signer>,
    key_id: Box<[u8]>,
    authority_key_id: Extension,
}

impl Authority {
    /// Puts the two together.
    ///
    /// # Errors
    /// They do not belong together, or the certificate is no CA's.
    pub fn new(certificate: Certificate, signer: Arc<dyn Signer>) -> Result<Self, IssueRefusal> {
        if !certificate.is_ca() {
            return Err(IssueRefusal::NotACa);
        }
        let public_key = certificate.public_key()?;
        if public_key != *signer.public_key() {
            return Err(IssueRefusal::KeyMismatch);
        }
        let derived = public_key.key_id();
        let key_id = certificate.subject_key_id().unwrap_or(&derived);
        Ok(Self {
            name: certificate.subject(),
            authority_key_id: Extension::authority_key_id(key_id)?,
            key_id: key_id.into(),
            certificate,
            signer,
        })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its name.
    pub fn name(&self) -> &DistinguishedName {
        &self.name
    }

    /// The identifier of its key: as its certificate has it, or else made from the key.
    pub(crate) fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Whether it signed itself.
    pub(crate) fn is_root(&self) -> bool {
        self.certificate.issuer_der() == self.certificate.subject_der()
    }

    pub(crate) fn is_service_ca(&self) -> bool {
        self.certificate.has_policy(SERVER_POLICY_OID)
    }

    /// Signs what stands under this CA. Both key identifiers are added.
    pub(crate) fn issue(
        &self,
        serial: Serial,
        subject: &DistinguishedName,
        public_key: &PublicKey,
        validity: Validity,
        extensions: &[&Extension],
    ) -> Result<Certificate, IssueRefusal> {
        let subject_key_id = Extension::subject_key_id(&public_key.key_id())?;
        let mut all = Vec::with_capacity(extensions.len() + 2);
        all.extend([&self.authority_key_id, &subject_key_id]);
        all.extend(extensions);
        Ok(sign_certificate(
            &CertificateSpec {
                serial: serial.as_bytes(),
                issuer: &self.name,
                subject,
                public_key,
                not_before: validity.not_before,
                not_after: validity.not_after,
                extensions: &all,
            },
            &*self.signer,
        )?)
    }
}

impl Authority {
    /// Name, key and validity of this CA's certificate, signed with its own key: no CA below it.
    pub(crate) fn signed_by_itself(&self) -> Result<Certificate, IssueRefusal> {
        let public_key = self.certificate.public_key()?;
        Ok(sign_certificate(
            &CertificateSpec {
                serial: self.certificate.serial(),
                issuer: &self.name,
                subject: &self.name,
                public_key: &public_key,
                not_before: self.certificate.not_before(),
                not_after: self.certificate.not_after(),
                extensions: &[
                    &Extension::certificate_authority(Some(0))?,
                    &ca_key_usage()?,
                    &Extension::subject_key_id(&self.key_id)?,
                ],
            },
            &*self.signer,
        )?)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.certificate).finish()
    }
}
