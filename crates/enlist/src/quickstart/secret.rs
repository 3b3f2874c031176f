//! The provisioning secret of the agents.

use std::path::Path;

use enlist_core::ProvisioningSecret;
use enlist_wire::{NewSecret, SecretState, SecretText};
use serde::Deserialize;

use super::Stage;
use crate::files;

/// What the secret is labelled.
const LABEL: &str = "quickstart";

/// The secret that stands in `config` from an earlier run, if it is still good; or a new one, in
/// place of those of earlier runs.
pub fn for_agents(stage: &Stage<'_>, config: &Path) -> anyhow::Result<SecretText> {
    let (tenant, group) = (stage.settings.tenant.as_str(), stage.group.as_str());
    let held = held(config)?;
    let short_id = held
        .as_ref()
        .and_then(|secret| ProvisioningSecret::parse(secret.expose()).ok())
        .map(|secret| secret.short_id().to_string());
    let known = stage.client.secrets(tenant, group)?.items;
    let good = |state| state == SecretState::Active;
    if let (Some(held), Some(short_id)) = (held, short_id)
        && known
            .iter()
            .any(|secret| secret.short_id == short_id && good(secret.state))
    {
        return Ok(held);
    }
    for secret in known {
        if secret.label == LABEL && good(secret.state) {
            stage
                .client
                .delete_secret(tenant, group, secret.secret_id)?;
        }
    }
    let request = NewSecret {
        label: Some(LABEL.to_owned()),
        ..NewSecret::default()
    };
    Ok(stage.client.create_secret(tenant, group, &request)?.secret)
}

fn held(config: &Path) -> anyhow::Result<Option<SecretText>> {
    #[derive(Deserialize)]
    struct Config {
        device_enrollment_token: Option<SecretText>,
    }
    let text = files::read(config)?;
    let config = text.and_then(|text| serde_json::from_str::<Config>(&text).ok());
    Ok(config.and_then(|config| config.device_enrollment_token))
}
