//! step-ca: a durable badger store, and a provisioner whose one-time tokens are JSON web tokens.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use enlist_core::{Clock as _, SystemClock};
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, csr};
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::candidate::{Candidate, Certified};
use super::errands::Errand;
use super::running::Running;
use super::{authority, traced};
use crate::{http, scratch, served};

/// The name of the provisioner, and of its key.
const PROVISIONER: &str = "bench";
/// Tokens are good for so many seconds.
const TOKEN_S: i64 = 3600;

/// A running step-ca.
pub(super) struct StepCa {
    running: Running,
    tls: Arc<ClientConfig>,
    ca: String,
    tokens: EcdsaKeyPair,
    made: u64,
}

impl StepCa {
    /// Starts one on an empty store: the program at `binary`, traced into a file where one is named.
    pub(super) fn start(binary: &Path, trace: Option<&Path>) -> Result<Self> {
        let directory = scratch::directory()?;
        let ca = authority::write(directory.path())?;
        let tokens = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let address = served::free_address()?;
        let configuration = configuration(directory.path(), address, &tokens);
        let path = directory.path().join("ca.json");
        std::fs::write(&path, configuration.to_string())?;
        let tls = authority::tls(&ca, None)?;
        let mut command = traced::command(binary, trace);
        command.arg(&path);
        // It looks for its own settings there.
        command.env("STEPPATH", directory.path());
        Ok(Self {
            running: Running::start(command, address, &tls, directory)?,
            tls,
            ca,
            tokens,
            made: 0,
        })
    }

    fn newcomer(&mut self) -> Result<Errand> {
        self.made += 1;
        let name = format!("newcomer-{}", self.made);
        let key = Arc::new(FileKey::generate(KeyKind::P256)?);
        let csr = Csr::from_der(&csr::build(&*key, &name)?)?.to_pem();
        let body = json!({ "csr": csr, "ott": self.token(&name)? }).to_string();
        Ok(Errand {
            request: http::post("/1.0/sign", None, body.as_bytes()),
            tls: self.tls.clone(),
            key,
            renewals: 0,
        })
    }

    /// A one-time token for a name (RFC 7515, compact).
    fn token(&self, name: &str) -> Result<String> {
        let now = SystemClock.now().as_secs();
        let head = json!({ "alg": "ES256", "kid": PROVISIONER, "typ": "JWT" });
        let claims = json!({
            "iss": PROVISIONER,
            "aud": format!("https://{}/1.0/sign", self.running.address),
            "sub": name,
            "sans": [name],
            "jti": format!("{name}-{now}"),
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_S,
        });
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&head), part(&claims));
        let signature = self.tokens.sign(&SystemRandom::new(), text.as_bytes())?;
        let signature = Base64UrlUnpadded::encode_string(signature.as_ref());
        Ok(format!("{text}.{signature}"))
    }
}

impl Candidate for StepCa {
    fn address(&self) -> SocketAddr {
        self.running.address
    }

    fn pid(&self) -> u32 {
        self.running.pid()
    }

    fn newcomers(&mut self, count: usize) -> Result<Vec<Errand>> {
        (0..count).map(|_| self.newcomer()).collect()
    }

    fn renewals(&mut self, certified: &[Certified]) -> Result<Vec<Errand>> {
        let renewal = |one: &Certified| {
            let reply: Value = serde_json::from_slice(&one.reply)?;
            let leaf = reply["crt"].as_str().context("a reply without `crt`")?;
            let identity = authority::identity(&[leaf, &self.ca], one.key.clone())?;
            Ok(Errand {
                request: http::post("/1.0/renew", None, b""),
                tls: authority::tls(&self.ca, Some(identity))?,
                // The same is certified again.
                key: one.key.clone(),
                renewals: one.renewals + 1,
            })
        };
        certified.iter().map(renewal).collect()
    }
}

fn configuration(directory: &Path, address: SocketAddr, tokens: &EcdsaKeyPair) -> Value {
    // Uncompressed: 04, x, y.
    let (x, y) = tokens.public_key().as_ref()[1..].split_at(32);
    let coordinate = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    json!({
        "root": directory.join("root.pem"),
        "crt": directory.join("ca.pem"),
        "key": directory.join("ca.key"),
        "address": address.to_string(),
        "dnsNames": ["127.0.0.1", "localhost"],
        "db": { "type": "badgerv2", "dataSource": directory.join("db") },
        "authority": { "provisioners": [{
            "type": "JWK",
            "name": PROVISIONER,
            "key": {
                "use": "sig", "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": PROVISIONER,
                "x": coordinate(x), "y": coordinate(y),
            },
            "claims": { "maxTLSCertDuration": "168h", "defaultTLSCertDuration": "168h" },
        }] },
    })
}
