//! Provisioning secrets: added, rotated, withdrawn.

use std::time::Duration;

use enlist_core::{
    Actor, Event, Group, Operator, ProvisioningSecret, Role, SecretBounds, SecretId, SecretRecord,
    Timestamp,
};
use enlist_store::Tx;

use crate::{Error, GroupPath, Ops, What, scope};

/// A secret to add.
#[derive(Debug, Clone)]
pub struct AddSecret {
    /// What its makers call it.
    pub label: String,
    /// How long it is good; `None` for ever.
    pub expires_in: Option<Duration>,
    /// How many devices it may enroll; `None` for any number.
    pub max_devices: Option<u64>,
}

impl AddSecret {
    /// A secret without bounds.
    pub fn labelled(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            expires_in: None,
            max_devices: None,
        }
    }
}

/// A secret that was added: the one time that its text is to be had.
#[derive(Debug, Clone)]
pub struct SecretAdded {
    /// The secret itself.
    pub secret: ProvisioningSecret,
    /// What is on record of it.
    pub record: SecretRecord,
}

/// A secret as an operator sees it.
pub type SecretView = SecretRecord;

/// A secret that is made but not recorded.
pub(crate) struct Made {
    id: SecretId,
    secret: ProvisioningSecret,
    add: AddSecret,
}

pub(crate) fn make(ops: &Ops, add: AddSecret) -> Made {
    Made {
        id: SecretId::new(&*ops.inner.clock, &*ops.inner.rng),
        secret: ProvisioningSecret::generate(&*ops.inner.rng),
        add,
    }
}

impl Made {
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        group: &Group,
        by: &Actor,
        now: Timestamp,
    ) -> Result<SecretAdded, Error> {
        let record = SecretRecord {
            id: self.id,
            tenant: group.tenant,
            group: group.id,
            short_id: self.secret.short_id().clone(),
            digest: self.secret.digest(),
            label: self.add.label.clone(),
            bounds: SecretBounds {
                expires_at: self.add.expires_in.map(|span| now + span),
                max_devices: self.add.max_devices,
            },
            used: 0,
            withdrawn: false,
            created_at: now,
        };
        tx.insert_secret(&record)?;
        let event = Event::new("secret-created", group.subject(), by.clone(), now)
            .with("secret", record.id)
            .with("label", &record.label);
        tx.append(&event)?;
        Ok(SecretAdded {
            secret: self.secret.clone(),
            record,
        })
    }
}

impl Ops {
    /// Adds a secret to a group.
    ///
    /// # Errors
    /// When the group is not there.
    pub async fn add_secret(
        &self,
        who: &Operator,
        path: GroupPath,
        add: AddSecret,
    ) -> Result<SecretAdded, Error> {
        check(&add)?;
        let (who, now) = (who.clone(), self.now());
        let made = make(self, add);
        self.inner
            .store
            .write("add_secret", move |tx| {
                let (_, group) = scope::group(tx, &who, Role::Operator, &path)?;
                made.record(tx, &group, &Actor::Operator(who.token), now)
            })
            .await
    }

    /// Adds a secret that takes the place of all others of the group: they expire once
    /// `overlap` has passed, where they do not sooner.
    ///
    /// # Errors
    /// When the group is not there.
    pub async fn rotate_secrets(
        &self,
        who: &Operator,
        path: GroupPath,
        overlap: Duration,
    ) -> Result<SecretAdded, Error> {
        let (who, now) = (who.clone(), self.now());
        let made = make(self, AddSecret::labelled("rotated"));
        self.inner
            .store
            .write("rotate_secrets", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Operator, &path)?;
                let end = now + overlap;
                for old in tx.secrets(tenant.id, group.id)? {
                    if old.is_live(now).is_ok() && old.bounds.expires_at.is_none_or(|at| at > end) {
                        tx.expire_secret(tenant.id, old.id, end)?;
                    }
                }
                let by = Actor::Operator(who.token);
                let event = Event::new("secrets-rotated", group.subject(), by.clone(), now)
                    .with("overlap_s", overlap.as_secs());
                tx.append(&event)?;
                made.record(tx, &group, &by, now)
            })
            .await
    }

    /// The secrets of a group, without their texts.
    ///
    /// # Errors
    /// When the group is not there.
    pub async fn secrets(&self, who: &Operator, path: GroupPath) -> Result<Vec<SecretView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("secrets", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Viewer, &path)?;
                Ok(tx.secrets(tenant.id, group.id)?)
            })
            .await
    }

    /// Withdraws a secret: from now on nobody enrolls with it. Who has enrolled stays in.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn withdraw_secret(
        &self,
        who: &Operator,
        path: GroupPath,
        id: SecretId,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("withdraw_secret", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Operator, &path)?;
                let secret = tx
                    .secrets(tenant.id, group.id)?
                    .into_iter()
                    .find(|secret| secret.id == id)
                    .ok_or_else(|| Error::not_found(What::Secret, id))?;
                if secret.withdrawn {
                    return Ok(());
                }
                tx.withdraw_secret(tenant.id, id)?;
                let by = Actor::Operator(who.token);
                let event = Event::new("secret-withdrawn", group.subject(), by, now)
                    .with("secret", id)
                    .with("label", secret.label);
                tx.append(&event)?;
                Ok(())
            })
            .await
    }
}

fn check(add: &AddSecret) -> Result<(), Error> {
    let fits = add.label.len() <= 128 && !add.label.chars().any(char::is_control);
    if !fits {
        return Err(Error::InvalidRequest(
            "label: up to 128 bytes without control characters".to_owned(),
        ));
    }
    if add.max_devices == Some(0) || add.expires_in == Some(Duration::ZERO) {
        return Err(Error::InvalidRequest(
            "a secret that enrolls no device is of no use: give max_devices and expires_in_s more than 0, or leave them out"
                .to_owned(),
        ));
    }
    Ok(())
}
