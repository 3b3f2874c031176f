use std::time::Duration;

use enlist_core::{SecretRecord, SecretRefusal, Timestamp};
use enlist_ops::{AddSecret, SecretAdded};
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn secret_created(added: &SecretAdded) -> wire::SecretCreated {
    wire::SecretCreated {
        secret_id: uuid(added.record.id.as_bytes()),
        label: added.record.label.clone(),
        secret: added.secret.expose().to_owned().into(),
        expires_at: added.record.bounds.expires_at.map(time),
    }
}

pub(crate) fn secret(secret: &SecretRecord, now: Timestamp) -> wire::Secret {
    wire::Secret {
        secret_id: uuid(secret.id.as_bytes()),
        label: secret.label.clone(),
        short_id: secret.short_id.to_string(),
        state: match secret.admits(now) {
            Ok(()) => wire::SecretState::Active,
            Err(SecretRefusal::Expired) => wire::SecretState::Expired,
            Err(SecretRefusal::UsedUp) => wire::SecretState::UsedUp,
            Err(SecretRefusal::Withdrawn) => wire::SecretState::Revoked,
        },
        created_at: time(secret.created_at),
        expires_at: secret.bounds.expires_at.map(time),
        max_devices: secret.bounds.max_devices,
        used: secret.used,
    }
}

pub(crate) fn add_secret(new: wire::NewSecret) -> AddSecret {
    AddSecret {
        label: new.label.unwrap_or_default(),
        expires_in: new.expires_in_s.map(Duration::from_secs),
        max_devices: new.max_devices,
    }
}
