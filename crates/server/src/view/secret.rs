use std::time::Duration;

use enlist_core::{Network, Rate, SecretRefusal, Timestamp};
use enlist_ops::{AddSecret, Error, SecretAdded, SecretView};
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn secret_created(added: &SecretAdded) -> wire::SecretCreated {
    let record = &added.view.record;
    let bounds = &record.bounds;
    wire::SecretCreated {
        secret_id: uuid(record.id.as_bytes()),
        label: record.label.clone(),
        secret: added.secret.expose().to_owned().into(),
        expires_at: bounds.expires_at.map(time),
        max_devices: bounds.max_devices,
        rate: bounds.rate.map(rate),
        networks: bounds.networks.iter().map(Network::to_string).collect(),
        manifest: added.view.manifest.as_ref().map(ToString::to_string),
        replaces: added
            .replaces
            .iter()
            .map(|id| uuid(id.as_bytes()))
            .collect(),
    }
}

pub(crate) fn secret(view: &SecretView, now: Timestamp) -> wire::Secret {
    let secret = &view.record;
    wire::Secret {
        secret_id: uuid(secret.id.as_bytes()),
        label: secret.label.clone(),
        short_id: secret.short_id.to_string(),
        state: match secret.admits(now) {
            Ok(()) => wire::SecretState::Active,
            Err(SecretRefusal::Expired) => wire::SecretState::Expired,
            Err(SecretRefusal::UsedUp) => wire::SecretState::UsedUp,
            Err(SecretRefusal::TooFast { .. }) => wire::SecretState::RateReached,
            Err(
                SecretRefusal::Withdrawn
                | SecretRefusal::Network(_)
                | SecretRefusal::NotListed
                | SecretRefusal::EntryUsed,
            ) => wire::SecretState::Revoked,
        },
        created_at: time(secret.created_at),
        expires_at: secret.bounds.expires_at.map(time),
        max_devices: secret.bounds.max_devices,
        rate: secret.bounds.rate.map(rate),
        networks: secret
            .bounds
            .networks
            .iter()
            .map(Network::to_string)
            .collect(),
        manifest: view.manifest.as_ref().map(ToString::to_string),
        used: secret.used,
    }
}

pub(crate) fn add_secret(new: wire::NewSecret) -> Result<AddSecret, Error> {
    let invalid = |what: &str, why: String| Error::InvalidRequest(format!("{what}: {why}"));
    let networks = new.networks.iter().map(|text| text.parse::<Network>());
    Ok(AddSecret {
        label: new.label.unwrap_or_default(),
        expires_in: new.expires_in_s.map(Duration::from_secs),
        max_devices: new.max_devices,
        rate: match new.rate {
            Some(rate) => {
                let rate = Rate::new(rate.devices, Duration::from_secs(rate.per_s));
                Some(rate.map_err(|error| invalid("rate", error.to_string()))?)
            }
            None => None,
        },
        networks: networks
            .collect::<Result<_, _>>()
            .map_err(|error| invalid("networks", error.to_string()))?,
        manifest: new.manifest,
    })
}

fn rate(rate: Rate) -> wire::SecretRate {
    wire::SecretRate {
        devices: rate.devices(),
        per_s: rate.per().as_secs(),
    }
}
