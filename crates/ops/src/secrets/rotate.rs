//! A secret in the place of another one.

use std::time::Duration;

use enlist_core::{
    Actor, Event, Group, Operator, Role, SecretBounds, SecretId, SecretRecord, Timestamp,
};

use super::{SecretAdded, make};
use crate::{Error, GroupPath, Ops, What, manifests, scope};

impl Ops {
    /// Adds a secret that takes the place of `which` of the group: its id, its short id or its label. The
    /// new one has its label and its bounds, counted anew: as many devices, as long a life. The old one
    /// expires once `overlap` has passed, where it does not sooner.
    ///
    /// Secrets that have label and bounds in common are replaced together: those are the ones that
    /// an earlier call has replaced, in their overlap. Where none is good, the newest that has expired is
    /// replaced; one that was withdrawn never is.
    ///
    /// # Errors
    /// When the group is not there, or has no such secret; when several that are good and differ are meant;
    /// when the manifest that bounds it is gone.
    pub async fn rotate_secret(
        &self,
        who: &Operator,
        path: GroupPath,
        which: Option<String>,
        overlap: Duration,
    ) -> Result<SecretAdded, Error> {
        let (who, now) = (who.clone(), self.now());
        let made = make(self);
        self.inner
            .store
            .write("rotate_secret", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Operator, &path)?;
                let end = now + overlap;
                let all = tx.secrets(tenant.id, group.id)?;
                let (newest, older) = meant(all, &group, which.as_deref(), now)?;
                if let Some(manifest) = newest.bounds.manifest {
                    let gone = || Error::not_found(What::Manifest, manifest);
                    let name = manifests::name_of(tx, tenant.id, manifest)?.ok_or_else(gone)?;
                    // Held, so that it is not deleted while only the older secrets name it.
                    manifests::named(tx, tenant.id, &name)?;
                }
                let by = Actor::Operator(who.token);
                let mut replaces = Vec::new();
                for old in older.iter().chain([&newest]) {
                    if old.bounds.expires_at.is_none_or(|at| at > end) {
                        tx.expire_secret(tenant.id, old.id, end)?;
                    }
                    replaces.push(old.id);
                }
                let replaced: Vec<_> = replaces.iter().map(SecretId::to_string).collect();
                let event = Event::new("secrets-rotated", group.subject(), by.clone(), now)
                    .with("overlap_s", overlap.as_secs())
                    .with("replaced", replaced.join(" "));
                tx.append(&event)?;
                let life = |at: Timestamp| now + at.since(newest.created_at);
                let bounds = SecretBounds {
                    expires_at: newest.bounds.expires_at.map(life),
                    ..newest.bounds.clone()
                };
                let added = made.record(tx, (&group, &newest.label), bounds, &by, now)?;
                Ok(SecretAdded { replaces, ..added })
            })
            .await
    }
}

/// The newest of those that are meant, and the others, which are like it.
fn meant(
    mut all: Vec<SecretRecord>,
    group: &Group,
    which: Option<&str>,
    now: Timestamp,
) -> Result<(SecretRecord, Vec<SecretRecord>), Error> {
    all.retain(|one| !one.withdrawn && which.is_none_or(|name| is_called(one, name)));
    let is_live = |one: &SecretRecord| one.is_live(now).is_ok();
    let is_any_live = all.iter().any(is_live);
    if is_any_live {
        all.retain(is_live);
    }
    let newest = all.pop().ok_or_else(|| match which {
        Some(name) => Error::not_found(What::Secret, name),
        None => Error::NoSecretToReplace {
            group: group.name.clone(),
        },
    })?;
    if !is_any_live {
        all.clear();
    }
    if all.iter().all(|one| is_like(one, &newest)) {
        Ok((newest, all))
    } else {
        Err(Error::SecretAmbiguous)
    }
}

fn is_called(secret: &SecretRecord, name: &str) -> bool {
    secret.label == name || secret.short_id.as_str() == name || secret.id.to_string() == name
}

/// Whether two have the same label and bounds. The end does not count: an overlap has changed it.
fn is_like(one: &SecretRecord, other: &SecretRecord) -> bool {
    let bounds = SecretBounds {
        expires_at: other.bounds.expires_at,
        ..one.bounds.clone()
    };
    one.label == other.label && bounds == other.bounds
}
