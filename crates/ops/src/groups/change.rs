//! Changing a group's rules.

use enlist_core::{Actor, Event, GroupChange, Operator, Role, Tenant};

use super::{GroupView, ZeroTouchChange, rules};
use crate::{Error, GroupPath, Ops, What, scope};

/// What is to be different about a group.
#[derive(Debug, Clone, Default)]
pub struct ChangeGroup {
    /// Its rules.
    pub rules: GroupChange,
    /// What it takes in place of a provisioning secret.
    pub zero_touch: ZeroTouchChange,
}

impl Ops {
    /// Changes the rules of a group. They hold for what comes: who is in stays in, and certificates stay
    /// as they are until they are renewed.
    ///
    /// # Errors
    /// When it is not there, or the rules can't be.
    pub async fn change_group(
        &self,
        who: &Operator,
        path: GroupPath,
        change: ChangeGroup,
    ) -> Result<(Tenant, GroupView), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("change_group", move |tx| {
                if change.rules.allocation.is_some() {
                    // It puts devices into other groups.
                    scope::whole_tenant(&who)?;
                }
                let (tenant, found) = scope::group(tx, &who, Role::Operator, &path)?;
                let before = tx
                    .group_to_change(tenant.id, found.id)?
                    .ok_or_else(|| Error::not_found(What::Group, &found.name))?;
                let mut after = before.clone().changed(&change.rules);
                let policy = before.zero_touch.as_ref();
                after.zero_touch = change.zero_touch.over(tx, tenant.id, policy)?;
                after.profile.check()?;
                if change.rules.allocation.is_some() {
                    rules::check_allocation(tx, &after)?;
                }
                let differences = rules::differences(&before, &after);
                if !differences.is_empty() {
                    tx.save_group(&after)?;
                    let by = Actor::Operator(who.token);
                    let event = Event::new("group-changed", after.subject(), by, now);
                    tx.append(&event.with("changes", differences.join("; ")))?;
                }
                let manifest = rules::manifest(tx, &after)?;
                let group = after;
                Ok((tenant, GroupView { group, manifest }))
            })
            .await
    }
}
