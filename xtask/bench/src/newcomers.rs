//! Devices that want to enroll, with all made ahead that they make themselves.

use std::sync::Arc;

use anyhow::{Result, bail};
use base64ct::{Base64, Encoding as _};
use enlist_core::{DeviceToken, SystemRng};
use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{CertId, Certificate, DigestKind, IssuerHash, KeyKind, csr};
use enlist_wire::{
    Binary, EnrollReply, EnrollRequest, Enrolled, Hardware, HardwareKind, SecretText,
};
use secrecy::SecretString;

use crate::http;
use crate::served::Served;

/// Makes enrollment requests of devices nobody has seen before.
#[derive(Debug, Clone)]
pub(crate) struct Newcomers {
    pub(crate) group: String,
    pub(crate) secret: String,
    /// Of how many serial numbers each claims one of its own; where none, it claims nothing.
    pub(crate) serials: Option<u64>,
    made: u64,
}

/// How far the serial numbers of two that come one after the other are apart. A prime: all are claimed
/// before one is claimed again.
const STRIDE: u64 = 7_919;

impl Newcomers {
    pub(crate) fn new(group: &str, secret: &str) -> Self {
        Self {
            group: group.to_owned(),
            secret: secret.to_owned(),
            serials: None,
            made: 0,
        }
    }

    /// So many requests, ready to be sent: HTTP head and body.
    pub(crate) fn requests(&mut self, count: usize) -> Result<Vec<Vec<u8>>> {
        (0..count).map(|_| self.request()).collect()
    }

    /// So many requests by EST (RFC 7030), which ask for the same.
    pub(crate) fn est_requests(&mut self, count: usize) -> Result<Vec<Vec<u8>>> {
        (0..count).map(|_| self.est_request()).collect()
    }

    /// So many devices that have enrolled.
    pub(crate) fn enrolled(&mut self, server: &Served, count: usize) -> Result<Vec<Device>> {
        let client = server.client(server.tls.clone())?;
        let enroll = |_| {
            let (key, request) = self.next()?;
            match client.enroll(&request)? {
                EnrollReply::Enrolled(enrolled) => Ok(Device { key, enrolled }),
                EnrollReply::Pending(_) => bail!("it has to wait for a person"),
            }
        };
        (0..count).map(enroll).collect()
    }

    /// A request, ready to be sent, and the key that it is for.
    pub(crate) fn keyed(&mut self) -> Result<(FileKey, Vec<u8>)> {
        let (key, request) = self.next()?;
        let body = serde_json::to_vec(&request)?;
        Ok((key, http::post("/v1/device/enroll", None, &body)))
    }

    fn request(&mut self) -> Result<Vec<u8>> {
        Ok(self.keyed()?.1)
    }

    fn est_request(&mut self) -> Result<Vec<u8>> {
        let (_, request) = self.next()?;
        let name = request.name.unwrap_or_default();
        let password = Base64::encode_string(format!("{name}:{}", self.secret).as_bytes());
        Ok(http::post_as(
            &format!("/.well-known/est/{}/simpleenroll", self.group),
            "application/pkcs10",
            &format!("authorization: Basic {password}\r\n"),
            Base64::encode_string(&request.csr.0).as_bytes(),
        ))
    }

    fn next(&mut self) -> Result<(FileKey, EnrollRequest)> {
        self.made += 1;
        let name = format!("newcomer-{}", self.made);
        let key = FileKey::generate(KeyKind::P256)?;
        let token = DeviceToken::generate(&SystemRng);
        let request = EnrollRequest {
            tenant: "default".to_owned(),
            group: self.group.clone(),
            secret: Some(text(&self.secret)),
            attestation: None,
            csr: Binary(csr::build(&key, &name)?),
            name: Some(name),
            // A batch does not come in the order in which it was made.
            hardware: self.serials.map(|serials| Hardware {
                kind: HardwareKind::Serial,
                value: format!("newcomer-{:010}", self.made * STRIDE % serials),
            }),
            device_token: text(token.expose()),
            certificate_ttl_h: None,
        };
        Ok((key, request))
    }
}

/// A device that has enrolled.
pub(crate) struct Device {
    pub(crate) key: FileKey,
    pub(crate) enrolled: Box<Enrolled>,
}

impl Device {
    /// What its certificate is called in an OCSP request.
    pub(crate) fn cert_id(&self) -> Result<CertId> {
        let issuer = Certificate::from_pem(&self.enrolled.issuing_ca)?;
        let own = Certificate::from_pem(&self.enrolled.certificate)?;
        let hash = IssuerHash::of(DigestKind::Sha1, &issuer.subject(), &issuer.public_key()?);
        Ok(CertId::new(&hash, own.serial())?)
    }

    /// Who it is, for TLS.
    pub(crate) fn identity(self) -> Result<Identity> {
        let chain = [&self.enrolled.certificate, &self.enrolled.issuing_ca];
        let chain: Result<Vec<_>, _> = chain
            .into_iter()
            .map(|pem| Certificate::from_pem(pem).map(|one| one.to_rustls()))
            .collect();
        Ok(Identity {
            chain: chain?,
            key: Arc::new(self.key),
        })
    }
}

fn text(text: &str) -> SecretText {
    SecretText::from(SecretString::from(text))
}
