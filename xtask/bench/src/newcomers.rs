//! Devices that want to enroll, with all made ahead that they make themselves.

use anyhow::Result;
use enlist_core::{DeviceToken, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, csr};
use enlist_wire::{Binary, EnrollRequest, SecretText};
use secrecy::SecretString;

use crate::http;

/// Makes enrollment requests of devices nobody has seen before.
#[derive(Debug, Clone)]
pub(crate) struct Newcomers {
    pub(crate) group: String,
    pub(crate) secret: String,
    made: usize,
}

impl Newcomers {
    pub(crate) fn new(group: &str, secret: &str) -> Self {
        Self {
            group: group.to_owned(),
            secret: secret.to_owned(),
            made: 0,
        }
    }

    /// So many requests, ready to be sent: HTTP head and body.
    pub(crate) fn requests(&mut self, count: usize) -> Result<Vec<Vec<u8>>> {
        (0..count).map(|_| self.request()).collect()
    }

    fn request(&mut self) -> Result<Vec<u8>> {
        self.made += 1;
        let name = format!("newcomer-{}", self.made);
        let key = FileKey::generate(KeyKind::P256)?;
        let token = DeviceToken::generate(&SystemRng);
        let request = EnrollRequest {
            tenant: "default".to_owned(),
            group: self.group.clone(),
            secret: Some(text(&self.secret)),
            csr: Binary(csr::build(&key, &name)?),
            name: Some(name),
            hardware: None,
            device_token: text(token.expose()),
            certificate_ttl_h: None,
        };
        let body = serde_json::to_vec(&request)?;
        Ok(http::post("/v1/device/enroll", None, &body))
    }
}

fn text(text: &str) -> SecretText {
    SecretText::from(SecretString::from(text))
}
