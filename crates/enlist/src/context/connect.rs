//! From settings to a client.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use enlist_core::SystemClock;
use enlist_keys::tls::{self, Identity, ServerTrust};
use enlist_pki::Anchors;
use enlist_wire::Client;

use super::Settings;
use crate::failure::refused;

/// How long one call may take. A server that has just started, or is at its limits, takes a while.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client for the management API.
pub fn management_client(settings: &Settings) -> anyhow::Result<Client> {
    let token = api_token(settings)?;
    Ok(device_client(settings, None)?.with_token(token))
}

/// A client for the device API, which needs no API token.
pub fn device_client(settings: &Settings, identity: Option<Identity>) -> anyhow::Result<Client> {
    let config = tls_config(settings, identity)?;
    Ok(Client::new(&settings.server, Arc::new(config), TIMEOUT)?)
}

/// What TLS is set up with.
pub fn tls_config(
    settings: &Settings,
    identity: Option<Identity>,
) -> anyhow::Result<rustls::ClientConfig> {
    let service = settings.service_ca_pem.as_deref();
    let trust = ServerTrust {
        anchors: Anchors::from_pem(&settings.ca_pem)
            .context("the CA certificate can't be used as a trust anchor")?,
        service_anchors: service
            .map(Anchors::from_pem)
            .transpose()
            .context("the service CA's certificate can't be used as a trust anchor")?
            .unwrap_or_default(),
    };
    Ok(tls::client_config(trust, identity, Arc::new(SystemClock))?)
}

/// The API token, or what to do about having none.
pub fn api_token(settings: &Settings) -> anyhow::Result<secrecy::SecretString> {
    settings.token.clone().ok_or_else(|| {
        refused(
            "no-token",
            "no API token is known for this server: `enlist login` saves one, and ENLIST_TOKEN brings one for a single command",
        )
    })
}
