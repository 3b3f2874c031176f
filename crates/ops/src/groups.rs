//! Groups.

mod change;
mod rules;

use enlist_core::{Actor, Event, Group, GroupId, Operator, Role, SecretBounds, Tenant};

use crate::secrets::{SecretAdded, make};
use crate::{Error, GroupPath, Ops, What, scope, signing, tokens};

pub use change::ChangeGroup;
pub use rules::ZeroTouchChange;

/// A group to add. Its ids and times are filled in by the operation.
#[derive(Debug, Clone)]
pub struct AddGroup {
    /// Name and rules; `id`, `tenant` and `created_at` are not looked at.
    pub rules: Group,
    /// What it takes in place of a provisioning secret; the rules' own `zero_touch` is not looked at.
    pub zero_touch: ZeroTouchChange,
    /// Whether it gets a provisioning secret at once.
    pub with_secret: bool,
}

/// A group with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct GroupView {
    /// The group.
    pub group: Group,
    /// The name of the manifest that its zero-touch policy names.
    pub manifest: Option<enlist_core::Name>,
}

/// A group that was added.
#[derive(Debug)]
pub struct GroupAdded {
    /// The tenant's name goes with it.
    pub tenant: Tenant,
    /// The group.
    pub group: GroupView,
    /// Its first secret, shown this once.
    pub secret: Option<SecretAdded>,
}

impl Ops {
    /// A new group's rules before anybody has changed them.
    pub fn new_group_rules(&self, name: enlist_core::Name) -> Group {
        let nowhere = enlist_core::TenantId::from_bytes([0; 16]);
        Group::new(GroupId::from_bytes([0; 16]), nowhere, name, self.now())
    }

    /// Adds a group.
    ///
    /// # Errors
    /// When the name is taken, or the profile can't be.
    pub async fn add_group(
        &self,
        who: &Operator,
        tenant: String,
        add: AddGroup,
    ) -> Result<GroupAdded, Error> {
        add.rules.profile.check()?;
        signing::check(&add.rules.signing)?;
        let (who, now) = (who.clone(), self.now());
        let id = GroupId::new(&*self.inner.clock, &*self.inner.rng);
        let secret = add.with_secret.then(|| make(self));
        self.inner
            .store
            .write("add_group", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Operator, &tenant)?;
                let group = Group {
                    id,
                    tenant: tenant.id,
                    created_at: now,
                    zero_touch: add.zero_touch.over(tx, tenant.id, None)?,
                    hook: None,
                    ..add.rules.clone()
                };
                rules::check_allocation(tx, &group)?;
                if !tx.insert_group(&group)? {
                    return Err(Error::NameTaken {
                        what: What::Group,
                        name: group.name,
                    });
                }
                let by = Actor::Operator(who.token);
                tx.append(&Event::new(
                    "group-created",
                    group.subject(),
                    by.clone(),
                    now,
                ))?;
                let secret = match &secret {
                    None => None,
                    Some(secret) => {
                        let unbounded = SecretBounds::default();
                        Some(secret.record(tx, (&group, "first"), unbounded, &by, now)?)
                    }
                };
                let manifest = rules::manifest(tx, &group)?;
                Ok(GroupAdded {
                    tenant,
                    group: GroupView { group, manifest },
                    secret,
                })
            })
            .await
    }

    /// The groups of a tenant.
    ///
    /// # Errors
    /// When the tenant is not there.
    pub async fn groups(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<(Tenant, Vec<GroupView>), Error> {
        let who = who.clone();
        self.inner
            .store
            .read("groups", move |tx| {
                let (tenant, only) = scope::part(tx, &who, Role::Viewer, &tenant)?;
                let mut groups = Vec::new();
                for group in tx.groups(tenant.id)? {
                    if only.is_some_and(|only| only != group.id) {
                        continue;
                    }
                    let manifest = rules::manifest(tx, &group)?;
                    groups.push(GroupView { group, manifest });
                }
                Ok((tenant, groups))
            })
            .await
    }

    /// One group.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn group(
        &self,
        who: &Operator,
        path: GroupPath,
    ) -> Result<(Tenant, GroupView), Error> {
        let who = who.clone();
        self.inner
            .store
            .read("group", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Viewer, &path)?;
                let manifest = rules::manifest(tx, &group)?;
                Ok((tenant, GroupView { group, manifest }))
            })
            .await
    }

    /// Deletes a group that has no devices; its secrets go with it, and its API tokens are withdrawn.
    ///
    /// # Errors
    /// When it is not there, or has devices.
    pub async fn delete_group(&self, who: &Operator, path: GroupPath) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("delete_group", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Operator, &path)?;
                if tx.count_devices(tenant.id, group.id, 1)? > 0 {
                    return Err(Error::GroupNotEmpty { name: group.name });
                }
                tx.delete_group(tenant.id, group.id)?;
                let by = Actor::Operator(who.token);
                tokens::withdraw_all_of(tx, &group, &by, now)?;
                tx.append(&Event::new("group-deleted", group.subject(), by, now))?;
                Ok(())
            })
            .await
    }
}
