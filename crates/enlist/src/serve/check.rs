//! `enlist serve --check`: the settings alone, nothing started and nothing made.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use enlist_core::SystemRng;
use enlist_keys::tls::{Identity, ServerIdentity};
use enlist_keys::{FileKey, WrappingKey, open_token};
use enlist_ops::{Location, WrappingKeySource};
use enlist_pki::Certificate;
use enlist_server::Settings;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::settings;
use crate::files;
use crate::output::{self, Format};
use crate::say::say;

/// Says what the settings come to, or what is wrong with them.
pub fn check(settings: &Settings, output: Option<Format>) -> anyhow::Result<()> {
    if let Some((certificate, key)) = &settings.listen.certificate {
        check_certificate(certificate, key)?;
    }
    match &settings.wrapping {
        WrappingKeySource::File(path) => {
            WrappingKey::load(path)
                .with_context(|| format!("`{}` can't be used as wrapping key", path.display()))?;
        }
        WrappingKeySource::Credential(path) => {
            WrappingKey::load_credential(path)
                .with_context(|| format!("`{}` can't be used as wrapping key", path.display()))?;
        }
        WrappingKeySource::Text(text) => {
            WrappingKey::from_text(text).context("the wrapping key can't be used")?;
        }
        WrappingKeySource::DataDir => {
            let path = settings.data.join("wrapping.key");
            if path.exists() {
                WrappingKey::load(&path).with_context(|| {
                    format!("`{}` can't be used as wrapping key", path.display())
                })?;
            }
        }
    }
    if let Some(token) = &settings.ca_key_store {
        open_token(token, Arc::new(SystemRng))
            .and_then(|store| store.probe())
            .context("the token for the keys of CAs can't be used")?;
    }
    let told = told(settings)?;
    if output == Some(Format::Json) {
        return output::document(&told.into_json());
    }
    told.say();
    Ok(())
}

/// What the settings come to.
#[derive(Default)]
struct Told {
    rows: Vec<Row>,
}

struct Row {
    /// As the file of settings calls it.
    name: &'static str,
    label: &'static str,
    value: String,
    /// What somebody should see to, for people below the value.
    warnings: Vec<String>,
}

impl Told {
    fn row(&mut self, name: &'static str, label: &'static str, value: impl Into<String>) {
        self.rows.push(Row {
            name,
            label,
            value: value.into(),
            warnings: Vec::new(),
        });
    }

    fn warn(&mut self, warning: impl Into<String>) {
        if let Some(row) = self.rows.last_mut() {
            row.warnings.push(warning.into());
        }
    }

    fn say(&self) {
        say!("The settings are good.");
        for row in &self.rows {
            say!("  {:<17} {}", format!("{}:", row.label), row.value);
            for warning in &row.warnings {
                say!("  {:<17} {warning}", "");
            }
        }
    }

    fn into_json(self) -> Value {
        let warnings: Vec<_> = self.rows.iter().flat_map(|row| &row.warnings).collect();
        let warnings = json!(warnings);
        let rows = self.rows.into_iter();
        let mut settings: Map<_, _> = rows
            .map(|row| (row.name.to_owned(), Value::String(row.value)))
            .collect();
        settings.insert("warnings".to_owned(), warnings);
        Value::Object(settings)
    }
}

fn told(settings: &Settings) -> anyhow::Result<Told> {
    let mut told = Told::default();
    told.row(
        "data",
        "data directory",
        settings.data.display().to_string(),
    );
    match &settings.location {
        Location::Postgres(url) => {
            let notes = enlist_ops::database_notes(url).context("database_url can't be used")?;
            let hosts = notes.hosts.join(", ");
            let value = format!("PostgreSQL on {hosts}, sslmode={}", notes.tls);
            told.row("database_url", "database", value);
            for warning in notes.warnings {
                told.warn(warning);
            }
        }
        _ => told.row("database_url", "database", "SQLite in the data directory"),
    }
    let place = match &settings.ca_key_store {
        Some(token) => format!("in {}", token.module.display()),
        None => "in the database, wrapped".to_owned(),
    };
    told.row("ca_key_store", "keys of new CAs", place);
    let address = settings.listen.address;
    told.row("listen", "listens on", address.to_string());
    let proxies = &settings.listen.trusted_proxies;
    if !proxies.is_empty() {
        let proxies: Vec<_> = proxies.iter().map(ToString::to_string).collect();
        let value = format!("{}, by the PROXY protocol", proxies.join(", "));
        told.row("trusted_proxies", "load balancer", value);
    }
    if !settings.listen.drain_delay.is_zero() {
        let seconds = settings.listen.drain_delay.as_secs();
        told.row("drain_delay", "drains for", format!("{seconds} s"));
    }
    if let Some(url) = &settings.public_url {
        told.row("public_url", "is called by", url);
    }
    if let Some(address) = &settings.status.listen {
        let value = format!("{address}, for revocation lists and OCSP");
        told.row("status_listen", "plain HTTP door", value);
    }
    if let Some(url) = &settings.status.url {
        told.row("status_url", "status URL", url.to_string());
    }
    if let Some(address) = &settings.observe.metrics_listen {
        told.row(
            "metrics_listen",
            "metrics",
            format!("{address}, at /metrics"),
        );
        if !address.ip().is_loopback() {
            told.warn(
                "whoever reaches it reads the names of tenants and how many devices they have",
            );
        }
    }
    if let Some(traces) = &settings.observe.traces {
        let (to, ratio) = (&traces.endpoint, traces.ratio);
        let value = format!("to {to}, of a share of {ratio} of the requests");
        told.row("otlp_endpoint", "traces", value);
    }
    let certificate = match &settings.listen.certificate {
        Some((certificate, _)) => certificate.display().to_string(),
        None => "of its own service CA".to_owned(),
    };
    told.row("tls_certificate", "certificate", certificate);
    let unread = settings::unread_variables();
    if !unread.is_empty() {
        told.row("unread_variables", "not read", unread.join(", "));
        told.warn("no setting has such a name: `enlist serve --help` names them all");
    }
    Ok(told)
}

fn check_certificate(certificate: &Path, key: &Path) -> anyhow::Result<()> {
    let chain = enlist_pki::chain_from_pem(&files::read_needed(certificate)?)
        .with_context(|| format!("`{}` can't be used", certificate.display()))?;
    let key_pem = SecretString::from(files::read_needed(key)?);
    let signer = FileKey::from_pkcs8_pem(key_pem.expose_secret())
        .with_context(|| format!("`{}` can't be used", key.display()))?;
    let identity = Identity {
        chain: chain.iter().map(Certificate::to_rustls).collect(),
        key: Arc::new(signer),
    };
    ServerIdentity::new(identity).map(drop).with_context(|| {
        format!(
            "`{}` and `{}` don't fit",
            certificate.display(),
            key.display()
        )
    })
}
