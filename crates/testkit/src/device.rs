//! A device that speaks the protocol without the agent.

use std::sync::Arc;

use enlist_core::{DeviceId, DeviceToken, RequestId, renewal_message};
use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{Certificate, KeyKind, Signer, csr};
use enlist_wire::{
    Binary, Client, ClientError, EnrollReply, EnrollRequest, Enrolled, Hardware, NonceRequest,
    Quadruple, RenewProof, RenewRequest, Uuid,
};

use crate::rig::random;
use crate::{Rig, produced_text};

/// A device as a test plays it.
#[derive(Clone)]
pub struct FakeDevice {
    /// Its group.
    pub group: String,
    /// Its tenant.
    pub tenant: String,
    /// Its name.
    pub name: Option<String>,
    /// The provisioning secret it was given.
    pub secret: String,
    /// What it claims to be.
    pub hardware: Option<Hardware>,
    /// Its token.
    pub token: DeviceToken,
    /// Its key.
    pub key: Arc<FileKey>,
    /// The key it had before its last renewal.
    pub previous_key: Option<Arc<FileKey>>,
    /// What it got.
    pub enrolled: Option<Enrolled>,
    /// Its renewal counter.
    pub counter: u64,
}

impl FakeDevice {
    pub(crate) fn new(rig: &Rig, group: &str, name: &str, secret: &str) -> Self {
        Self {
            group: group.to_owned(),
            tenant: "default".to_owned(),
            name: Some(name.to_owned()),
            secret: secret.to_owned(),
            hardware: None,
            token: DeviceToken::generate(&*rig.rng),
            key: Arc::new(FileKey::generate(KeyKind::P256).expect("a key")),
            previous_key: None,
            enrolled: None,
            counter: 0,
        }
    }

    /// A device into which a pre-enrolled identity was loaded.
    pub fn pre_enrolled(rig: &Rig, name: &str, quadruple: &Quadruple) -> Self {
        let key = FileKey::from_pkcs8_pem(quadruple.device_private_key_pem.expose());
        let certificate = Certificate::from_pem(&quadruple.device_certificate_pem).expect("one");
        let mut device = Self::new(rig, "unknown", name, "");
        device.key = Arc::new(key.expect("a key"));
        device.token = DeviceToken::parse(quadruple.device_token.expose()).expect("a token");
        device.enrolled = Some(Enrolled {
            device_id: quadruple.device_id,
            tenant: "default".to_owned(),
            group: String::new(),
            name: name.to_owned(),
            certificate: quadruple.device_certificate_pem.clone(),
            issuing_ca: quadruple.issuing_ca_pem.clone(),
            chain: quadruple.chain_pem.clone(),
            root: quadruple.root_pem.clone(),
            not_before: enlist_wire::Time::from_secs(certificate.not_before()),
            not_after: quadruple.not_after,
            serial: certificate.serial_hex(),
            issued_at: None,
            command_keys: Vec::new(),
            policy: enlist_wire::DevicePolicy::default(),
        });
        device
    }

    /// What it sends to enroll.
    pub fn request(&self) -> EnrollRequest {
        EnrollRequest {
            tenant: self.tenant.clone(),
            group: self.group.clone(),
            secret: Some(self.secret.clone().into()),
            name: self.name.clone(),
            hardware: self.hardware.clone(),
            attestation: None,
            csr: Binary(csr::build(&*self.key, "device").expect("a CSR")),
            device_token: self.token.expose().to_owned().into(),
            certificate_ttl_h: None,
        }
    }

    /// Asks to enroll, and keeps what it gets.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn enroll(&mut self, rig: &Rig) -> Result<Enrolled, ClientError> {
        match rig.stranger().enroll(&self.request())? {
            EnrollReply::Enrolled(enrolled) => {
                keep_produced(&enrolled);
                self.enrolled = Some((*enrolled).clone());
                Ok(*enrolled)
            }
            EnrollReply::Pending(pending) => panic!("unexpectedly pending: {pending:?}"),
        }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.enrolled.as_ref().expect("enrolled").device_id
    }

    /// Its certificate.
    pub fn certificate(&self) -> Certificate {
        let enrolled = self.enrolled.as_ref().expect("enrolled");
        Certificate::from_pem(&enrolled.certificate).expect("a certificate")
    }

    /// What it shows in TLS.
    pub fn identity(&self) -> Identity {
        Identity {
            chain: vec![self.certificate().to_rustls()],
            key: self.key.clone(),
        }
    }

    /// The server, as it sees it with its certificate.
    pub fn client(&self, rig: &Rig) -> Client {
        rig.client_with_identity(self.identity())
    }

    /// A renewal over a new key, without proof.
    pub fn renewal(&self, rig: &Rig, key: &FileKey) -> RenewRequest {
        RenewRequest {
            device_id: self.id(),
            csr: Binary(csr::build(key, "device").expect("a CSR")),
            counter: self.counter + 1,
            request_id: Uuid::from_bytes(random(&*rig.rng)),
            certificate_ttl_h: None,
            proof: None,
        }
    }

    /// Renews over mutual TLS, onto a new key, and keeps what it gets.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn renew(&mut self, rig: &Rig) -> Result<Enrolled, ClientError> {
        let key = Arc::new(FileKey::generate(KeyKind::P256).expect("a key"));
        let enrolled = self.client(rig).renew(&self.renewal(rig, &key))?;
        self.took(key, enrolled)
    }

    /// Renews by token and key, onto a new key, and keeps what it gets.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn renew_by_token(&mut self, rig: &Rig) -> Result<Enrolled, ClientError> {
        let key = Arc::new(FileKey::generate(KeyKind::P256).expect("a key"));
        let mut request = self.renewal(rig, &key);
        let signer = self.key.clone();
        self.prove(rig, &mut request, &*signer)?;
        let enrolled = rig.stranger().renew(&request)?;
        self.took(key, enrolled)
    }

    /// Adds the proof by token, signed with `signer`.
    ///
    /// # Errors
    /// The server's refusal of a nonce.
    pub fn prove(
        &self,
        rig: &Rig,
        request: &mut RenewRequest,
        signer: &dyn Signer,
    ) -> Result<(), ClientError> {
        let device_id = request.device_id;
        let nonce = rig.stranger().nonce(&NonceRequest { device_id })?.nonce;
        let message = renewal_message(
            DeviceId::from_bytes(device_id.into_bytes()),
            request.counter,
            RequestId::from_bytes(request.request_id.into_bytes()),
            &nonce.0,
            &request.csr.0,
        );
        request.proof = Some(RenewProof {
            device_token: self.token.expose().to_owned().into(),
            nonce,
            signature: Binary(signer.sign(&message).expect("a signature")),
        });
        Ok(())
    }

    fn took(&mut self, key: Arc<FileKey>, enrolled: Enrolled) -> Result<Enrolled, ClientError> {
        self.previous_key = Some(std::mem::replace(&mut self.key, key));
        self.counter += 1;
        keep_produced(&enrolled);
        self.enrolled = Some(enrolled.clone());
        Ok(enrolled)
    }
}

fn keep_produced(enrolled: &Enrolled) {
    for text in [&enrolled.certificate, &enrolled.issuing_ca, &enrolled.root] {
        produced_text(text);
    }
}

/// The slug of a refusal; a test that expected one fails where there is none.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::Problem(problem)) => problem.slug().to_owned(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
