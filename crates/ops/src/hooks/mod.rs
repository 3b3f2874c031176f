//! Hooks: whom the server asks before it lets a newcomer into a group.
//!
//! Without a clear yes nobody gets in, and nothing is recorded. Who is in was asked about once; the same
//! request again gets the recorded answer, and the hook is not asked.

mod answer;
mod ask;
mod question;
mod test;

use std::time::Duration;

use enlist_core::{
    Actor, Event, Group, GroupId, Hook, Operator, Role, Tenant, TenantId, Timestamp,
};
use enlist_store::Tx;
use secrecy::SecretString;

use crate::outbound::Target;
use crate::{Error, GroupPath, Ops, What, scope};

pub use answer::{BadHookAnswer, HookAnswer};
pub use ask::HookFailure;
pub(crate) use ask::{Asker, Gates};
pub(crate) use question::{Created, Hardware, Question, base64};
pub use test::HookTested;

/// The bounds of how long an answer may take.
const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(10);

/// A hook to add.
#[derive(Debug, Clone)]
pub struct AddHook {
    /// Where it is asked.
    pub target: Target,
    /// The most time for an answer.
    pub timeout: Duration,
}

/// A hook as an operator sees it.
#[derive(Debug, Clone)]
pub struct HookView {
    /// The hook.
    pub hook: Hook,
    /// Its group.
    pub group: Group,
}

/// A hook that was added, or given another secret: the one time that the secret is to be had.
#[derive(Debug)]
pub struct HookAdded {
    /// `whsec_…`.
    pub secret: SecretString,
    /// What is on record of it.
    pub view: HookView,
}

impl Ops {
    /// Gives a group a hook. From then on each newcomer is asked about.
    ///
    /// # Errors
    /// When `who` is no administrator, or the group has a hook.
    pub async fn add_hook(
        &self,
        who: &Operator,
        path: GroupPath,
        add: AddHook,
    ) -> Result<HookAdded, Error> {
        let unusable = |error| Error::InvalidRequest(format!("url: {error}"));
        self.inner.outbound.check(&add.target).map_err(unusable)?;
        if !TIMEOUTS.contains(&add.timeout) {
            return Err(Error::InvalidRequest(
                "timeout: from 0.1 to 10 seconds; devices wait meanwhile".to_owned(),
            ));
        }
        let (secret, sealed) = self.new_signing_secret()?;
        let (who, now) = (who.clone(), self.now());
        let hook = Hook {
            tenant: TenantId::from_bytes([0; 16]),
            group: GroupId::from_bytes([0; 16]),
            url: add.target.url,
            anchors: add.target.anchors_pem,
            sealed_secret: sealed,
            secret_before: None,
            timeout: add.timeout,
            created_at: now,
        };
        let view = self
            .inner
            .store
            .write("add_hook", move |tx| {
                scope::whole_tenant(&who)?;
                let (tenant, group) = scope::group(tx, &who, Role::Admin, &path)?;
                let hook = Hook {
                    tenant: tenant.id,
                    group: group.id,
                    ..hook.clone()
                };
                if !tx.insert_hook(&hook)? {
                    return Err(Error::NameTaken {
                        what: What::Hook,
                        name: group.name,
                    });
                }
                tx.append(&event("hook-created", &group, &who, now))?;
                Ok(HookView { hook, group })
            })
            .await?;
        Ok(HookAdded { secret, view })
    }

    /// The hooks of a tenant's groups.
    ///
    /// # Errors
    /// When the tenant is not there, or `who` is no administrator.
    pub async fn hooks(&self, who: &Operator, tenant: String) -> Result<Vec<HookView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("hooks", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Admin, &tenant)?;
                let mut views = Vec::new();
                for hook in tx.hooks(tenant.id)? {
                    if let Some(group) = tx.group(tenant.id, hook.group)? {
                        views.push(HookView { hook, group });
                    }
                }
                views.sort_by(|one, other| one.group.name.cmp(&other.group.name));
                Ok(views)
            })
            .await
    }

    /// Takes a group's hook away: from then on its policy alone decides.
    ///
    /// # Errors
    /// When there is none, or `who` is no administrator.
    pub async fn delete_hook(&self, who: &Operator, path: GroupPath) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("delete_hook", move |tx| {
                let (tenant, group, _) = named(tx, &who, &path)?;
                tx.delete_hook(tenant.id, group.id)?;
                tx.append(&event("hook-deleted", &group, &who, now))?;
                Ok(())
            })
            .await
    }

    /// Gives a hook another signing secret. For `overlap` requests are signed with both.
    ///
    /// # Errors
    /// When there is none, or `who` is no administrator.
    pub async fn refresh_hook(
        &self,
        who: &Operator,
        path: GroupPath,
        overlap: Duration,
    ) -> Result<HookAdded, Error> {
        let (secret, sealed) = self.new_signing_secret()?;
        let (who, now) = (who.clone(), self.now());
        let view = self
            .inner
            .store
            .write("refresh_hook", move |tx| {
                let (tenant, group, hook) = named(tx, &who, &path)?;
                tx.replace_hook_secret(tenant.id, group.id, &sealed, now + overlap)?;
                tx.append(&event("hook-secret-replaced", &group, &who, now))?;
                Ok::<_, Error>(HookView { hook, group })
            })
            .await?;
        Ok(HookAdded { secret, view })
    }
}

/// The hook of a group, where `who` may manage it. A writing job holds it until the commit.
fn named(
    tx: &mut Tx<'_>,
    who: &Operator,
    path: &GroupPath,
) -> Result<(Tenant, Group, Hook), Error> {
    // What it answers puts devices into other groups, too.
    scope::whole_tenant(who)?;
    let (tenant, group) = scope::group(tx, who, Role::Admin, path)?;
    let hook = tx.hook(tenant.id, group.id)?;
    let hook = hook.ok_or_else(|| Error::not_found(What::Hook, &group.name))?;
    Ok((tenant, group, hook))
}

/// Something that an operator did to a hook.
fn event(kind: &'static str, group: &Group, who: &Operator, now: Timestamp) -> Event {
    Event::new(kind, group.subject(), Actor::Operator(who.token), now)
}
