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

use crate::files;
use crate::say::say;

/// Says what the settings come to, or what is wrong with them.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
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
    say!("The settings are good.");
    say!("  data directory:   {}", settings.data.display());
    match &settings.location {
        Location::Postgres(url) => {
            let notes = enlist_ops::database_notes(url).context("database_url can't be used")?;
            let hosts = notes.hosts.join(", ");
            say!(
                "  database:         PostgreSQL on {hosts}, sslmode={}",
                notes.tls
            );
            for warning in &notes.warnings {
                say!("                    {warning}");
            }
        }
        _ => say!("  database:         SQLite in the data directory"),
    }
    match &settings.ca_key_store {
        Some(token) => say!("  keys of new CAs:  in {}", token.module.display()),
        None => say!("  keys of new CAs:  in the database, wrapped"),
    }
    say!("  listens on:       {}", settings.listen.address);
    for network in &settings.listen.trusted_proxies {
        say!("  load balancer:    {network}, by the PROXY protocol");
    }
    if !settings.listen.drain_delay.is_zero() {
        let seconds = settings.listen.drain_delay.as_secs();
        say!("  drains for:       {seconds} s");
    }
    if let Some(url) = &settings.public_url {
        say!("  is called by:     {url}");
    }
    if let Some(address) = &settings.status.listen {
        say!("  plain HTTP door:  {address}, for revocation lists and OCSP");
    }
    if let Some(url) = &settings.status.url {
        say!("  status URL:       {url}");
    }
    if let Some(address) = &settings.observe.metrics_listen {
        say!("  metrics:          {address}, at /metrics");
        if !address.ip().is_loopback() {
            say!(
                "                    whoever reaches it reads the names of tenants and how many devices they have"
            );
        }
    }
    if let Some(traces) = &settings.observe.traces {
        say!(
            "  traces:           to {}, of a share of {} of the requests",
            traces.endpoint,
            traces.ratio
        );
    }
    match &settings.listen.certificate {
        Some((certificate, _)) => say!("  certificate:      {}", certificate.display()),
        None => say!("  certificate:      of its own service CA"),
    }
    Ok(())
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
