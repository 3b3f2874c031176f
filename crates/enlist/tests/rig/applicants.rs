//! Devices that ask to be let in, many at a time: each with a key of its own, and without an agent.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{DeviceToken, SystemClock, SystemRng};
use enlist_keys::{FileKey, tls};
use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, KeyKind, csr};
use enlist_wire::{Binary, Client, ClientError, EnrollReply, EnrollRequest};

use super::Rig;

/// Asks in the place of devices of one group.
pub struct Applicants {
    client: Client,
    group: &'static str,
    secret: String,
}

impl Applicants {
    pub fn new(rig: &Rig, group: &'static str, secret: &str) -> Self {
        let root = fs::read_to_string(rig.data().join("root.pem")).unwrap();
        let trust = ServerTrust {
            anchors: Anchors::from_pem(&root).unwrap(),
            service_anchors: Anchors::default(),
        };
        let config = tls::client_config(trust, None, Arc::new(SystemClock)).unwrap();
        Self {
            client: Client::new(&rig.url, Arc::new(config), Duration::from_secs(30)).unwrap(),
            group,
            secret: secret.trim().to_owned(),
        }
    }

    /// What a device of this name asks, with another key and token at each call.
    pub fn request(&self, name: &str) -> EnrollRequest {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let token = DeviceToken::generate(&SystemRng);
        EnrollRequest {
            tenant: "default".into(),
            group: self.group.into(),
            secret: Some(self.secret.clone().into()),
            name: Some(name.into()),
            hardware: None,
            attestation: None,
            csr: Binary(csr::build(&key, name).unwrap()),
            device_token: token.expose().to_owned().into(),
            certificate_ttl_h: None,
        }
    }

    /// Asks once: whether the device is in, or the slug of the refusal.
    pub fn ask(&self, request: &EnrollRequest) -> Result<bool, String> {
        match self.client.enroll(request) {
            Ok(EnrollReply::Enrolled(_)) => Ok(true),
            Ok(EnrollReply::Pending(_)) => Ok(false),
            Err(ClientError::Problem(problem)) => Err(problem.slug().to_owned()),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Has so many devices, `PREFIX-1` and on, ask from several places at once; their requests come back.
    pub fn wait(&self, prefix: &str, count: usize) -> Vec<EnrollRequest> {
        let numbers: Vec<_> = (1..=count).collect();
        let parts = numbers.chunks(count.div_ceil(4));
        std::thread::scope(|scope| {
            let parts = parts.map(|part| {
                scope.spawn(move || {
                    let requests = part.iter().map(|n| {
                        let request = self.request(&format!("{prefix}-{n}"));
                        assert_eq!(self.ask(&request), Ok(false), "it waits");
                        request
                    });
                    requests.collect::<Vec<_>>()
                })
            });
            let parts: Vec<_> = parts.collect();
            parts
                .into_iter()
                .flat_map(|part| part.join().unwrap())
                .collect()
        })
    }
}
