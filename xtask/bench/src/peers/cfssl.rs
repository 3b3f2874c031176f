//! cfssl: what it signs is recorded in SQLite, and requests are authenticated by a shared key.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding as _};
use enlist_core::{Rng as _, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, csr};
use rustls::ClientConfig;
use serde_json::json;

use super::candidate::{Candidate, Certified};
use super::errands::Errand;
use super::running::Running;
use super::{authority, traced};
use crate::{http, scratch, served};

/// The table that it records certificates in: it makes none itself.
const TABLE: &str = "CREATE TABLE certificates (
    serial_number blob NOT NULL,
    authority_key_identifier blob NOT NULL,
    ca_label blob,
    status blob NOT NULL,
    reason int,
    expiry timestamp,
    revoked_at timestamp,
    pem blob NOT NULL,
    PRIMARY KEY (serial_number, authority_key_identifier))";

/// A running `cfssl serve`.
pub(super) struct Cfssl {
    running: Running,
    tls: Arc<ClientConfig>,
    key: hmac::Key,
    made: u64,
}

impl Cfssl {
    /// Starts one on an empty store, traced into a file where one is named.
    pub(super) fn start(trace: Option<&Path>) -> Result<Self> {
        let directory = scratch::directory()?;
        let path = directory.path();
        let ca = authority::write(path)?;
        let mut key = [0; 16];
        SystemRng.fill(&mut key);
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let configuration = json!({
            "signing": { "default": {
                "expiry": "168h",
                "usages": ["digital signature", "client auth"],
                "auth_key": "bench",
            } },
            "auth_keys": { "bench": { "type": "standard", "key": hex } },
        });
        std::fs::write(path.join("config.json"), configuration.to_string())?;
        let database = path.join("certificates.db");
        rusqlite::Connection::open(&database)?.execute_batch(TABLE)?;
        let source = format!(
            "file:{}?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=60000",
            database.display()
        );
        let database = json!({ "driver": "sqlite3", "data_source": source });
        std::fs::write(path.join("db.json"), database.to_string())?;
        let address = served::free_address()?;
        let tls = authority::tls(&ca, None)?;
        let mut command = traced::command(Path::new("cfssl"), trace);
        command
            .args(["serve", "-address", "127.0.0.1", "-loglevel", "2"])
            .args(["-port", &address.port().to_string()])
            .args(["-ca", "ca.pem", "-ca-key", "ca.key"])
            .args(["-tls-cert", "server.pem", "-tls-key", "server.key"])
            .args(["-config", "config.json", "-db-config", "db.json"]);
        Ok(Self {
            running: Running::start(command, address, &tls, directory)?,
            tls,
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            made: 0,
        })
    }

    fn newcomer(&mut self) -> Result<Errand> {
        self.made += 1;
        let name = format!("newcomer-{}", self.made);
        let key = Arc::new(FileKey::generate(KeyKind::P256)?);
        let csr = Csr::from_der(&csr::build(&*key, &name)?)?.to_pem();
        let asked = json!({ "certificate_request": csr, "hosts": [name] }).to_string();
        let token = hmac::sign(&self.key, asked.as_bytes());
        let body = json!({
            "token": Base64::encode_string(token.as_ref()),
            "request": Base64::encode_string(asked.as_bytes()),
        });
        let body = body.to_string();
        Ok(Errand {
            request: http::post("/api/v1/cfssl/authsign", None, body.as_bytes()),
            tls: self.tls.clone(),
            key,
            renewals: 0,
        })
    }
}

impl Candidate for Cfssl {
    fn address(&self) -> SocketAddr {
        self.running.address
    }

    fn pid(&self) -> u32 {
        self.running.pid()
    }

    fn newcomers(&mut self, count: usize) -> Result<Vec<Errand>> {
        (0..count).map(|_| self.newcomer()).collect()
    }

    fn renewals(&mut self, _: &[Certified]) -> Result<Vec<Errand>> {
        bail!("cfssl knows no renewal")
    }
}
