//! Provisioning secrets: added, rotated, withdrawn.

mod rotate;

use std::time::Duration;

use enlist_core::{
    Actor, Event, Group, Name, Network, Operator, ProvisioningSecret, Rate, Role, SecretBounds,
    SecretId, SecretRecord, TenantId, Timestamp,
};
use enlist_store::Tx;

use crate::{Error, GroupPath, Ops, What, manifests, scope};

/// The most networks of one secret.
const MOST_NETWORKS: usize = 64;

/// A secret to add.
#[derive(Debug, Clone, Default)]
pub struct AddSecret {
    /// What its makers call it.
    pub label: String,
    /// How long it is good; `None` for ever.
    pub expires_in: Option<Duration>,
    /// How many devices it may enroll; `None` for any number.
    pub max_devices: Option<u64>,
    /// How many of them within a time; `None` for any number.
    pub rate: Option<Rate>,
    /// Where they have to ask from; anywhere where there are none.
    pub networks: Vec<Network>,
    /// The name of the manifest that they have to be on.
    pub manifest: Option<String>,
}

/// A secret that was added: the one time that its text is to be had.
#[derive(Debug, Clone)]
pub struct SecretAdded {
    /// The secret itself.
    pub secret: ProvisioningSecret,
    /// What is on record of it.
    pub view: SecretView,
    /// In whose place it comes.
    pub replaces: Vec<SecretId>,
}

/// A secret as an operator sees it.
#[derive(Debug, Clone)]
pub struct SecretView {
    /// What is on record of it.
    pub record: SecretRecord,
    /// What its manifest is called.
    pub manifest: Option<Name>,
}

/// A secret that is made but not recorded.
pub(crate) struct Made {
    id: SecretId,
    secret: ProvisioningSecret,
}

pub(crate) fn make(ops: &Ops) -> Made {
    Made {
        id: SecretId::new(&*ops.inner.clock, &*ops.inner.rng),
        secret: ProvisioningSecret::generate(&*ops.inner.rng),
    }
}

impl Made {
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        (group, label): (&Group, &str),
        bounds: SecretBounds,
        by: &Actor,
        now: Timestamp,
    ) -> Result<SecretAdded, Error> {
        let record = SecretRecord {
            id: self.id,
            tenant: group.tenant,
            group: group.id,
            short_id: self.secret.short_id().clone(),
            digest: self.secret.digest(),
            label: label.to_owned(),
            bounds,
            used: 0,
            rate_until_us: 0,
            withdrawn: false,
            created_at: now,
        };
        tx.insert_secret(&record)?;
        let view = view(tx, record)?;
        let event = Event::new("secret-created", group.subject(), by.clone(), now)
            .with("secret", view.record.id)
            .with("label", &view.record.label);
        tx.append(&tell_bounds(event, &view))?;
        Ok(SecretAdded {
            secret: self.secret.clone(),
            view,
            replaces: Vec::new(),
        })
    }
}

impl Ops {
    /// Adds a secret to a group.
    ///
    /// # Errors
    /// When the group, or the manifest, is not there.
    pub async fn add_secret(
        &self,
        who: &Operator,
        path: GroupPath,
        add: AddSecret,
    ) -> Result<SecretAdded, Error> {
        check(&add)?;
        let (who, now) = (who.clone(), self.now());
        let made = make(self);
        self.inner
            .store
            .write("add_secret", move |tx| {
                let (_, group) = scope::group(tx, &who, Role::Operator, &path)?;
                let manifest = match &add.manifest {
                    Some(name) => Some(manifests::called(tx, group.tenant, name)?.id),
                    None => None,
                };
                let bounds = SecretBounds {
                    expires_at: add.expires_in.map(|span| now + span),
                    max_devices: add.max_devices,
                    rate: add.rate,
                    networks: add.networks.clone(),
                    manifest,
                };
                let by = Actor::Operator(who.token);
                made.record(tx, (&group, &add.label), bounds, &by, now)
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
                let secrets = tx.secrets(tenant.id, group.id)?;
                secrets.into_iter().map(|one| view(tx, one)).collect()
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

fn view(tx: &mut Tx<'_>, record: SecretRecord) -> Result<SecretView, Error> {
    let manifest = manifest_name(tx, record.tenant, &record.bounds)?;
    Ok(SecretView { record, manifest })
}

/// Says what bounds a secret has; nothing of those it has not.
fn tell_bounds(mut event: Event, view: &SecretView) -> Event {
    let bounds = &view.record.bounds;
    if let Some(end) = bounds.expires_at {
        let life = end.since(view.record.created_at);
        event = event.with("expires_in_s", life.as_secs());
    }
    if let Some(most) = bounds.max_devices {
        event = event.with("max_devices", most);
    }
    if let Some(rate) = bounds.rate {
        event = event.with("rate", rate);
    }
    if !bounds.networks.is_empty() {
        let networks: Vec<_> = bounds.networks.iter().map(Network::to_string).collect();
        event = event.with("networks", networks.join(" "));
    }
    if let Some(manifest) = &view.manifest {
        event = event.with("manifest", manifest);
    }
    event
}

fn manifest_name(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    bounds: &SecretBounds,
) -> Result<Option<Name>, Error> {
    match bounds.manifest {
        Some(manifest) => manifests::name_of(tx, tenant, manifest),
        None => Ok(None),
    }
}

fn check(add: &AddSecret) -> Result<(), Error> {
    let fits = add.label.len() <= 128 && !add.label.chars().any(char::is_control);
    if !fits {
        return Err(Error::InvalidRequest(
            "label: up to 128 bytes without control characters".to_owned(),
        ));
    }
    for (what, is_nothing) in [
        ("for 0 devices", add.max_devices == Some(0)),
        ("of 0 seconds", add.expires_in == Some(Duration::ZERO)),
    ] {
        if is_nothing {
            return Err(Error::InvalidRequest(format!(
                "a secret {what} is of no use: more than 0 is, or no such bound at all"
            )));
        }
    }
    if add.networks.len() > MOST_NETWORKS {
        return Err(Error::InvalidRequest(format!(
            "networks: up to {MOST_NETWORKS} of them"
        )));
    }
    Ok(())
}
