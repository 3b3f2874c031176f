//! The yes of a group's own signers to a root.

use enlist_core::{
    Actor, CaId, CaStanding, Digest, Event, Group, Operator, Role, RootRecord, SigningMethod,
    Tenant,
};
use enlist_signed::{Envelope, Trust};

use crate::{Error, GroupPath, Ops, scope, signing};

impl Ops {
    /// Keeps the statement by which a group that signs its configuration itself says yes to a root, for
    /// its devices to see.
    ///
    /// # Errors
    /// When the group is not there or the server signs for it, or the statement is not signed by the
    /// group's keys, or is about something else.
    pub async fn approve_root(
        &self,
        who: &Operator,
        path: GroupPath,
        envelope: serde_json::Value,
    ) -> Result<(), Error> {
        let (reader, at) = (who.clone(), path.clone());
        let (tenant, group, roots) = self
            .inner
            .store
            .read("approve_root", move |tx| {
                let (tenant, group) = scope::group(tx, &reader, Role::Operator, &at)?;
                Ok::<_, Error>((tenant, group, tx.offered_roots()?))
            })
            .await?;
        let envelope = Envelope::from_value(&envelope)
            .map_err(|error| Error::InvalidRequest(error.to_string()))?;
        let (root, fingerprint) = verified(&tenant, &group, &roots, &envelope)?;
        let (who, now) = (who.clone(), self.now());
        let json = envelope.to_json();
        self.inner
            .store
            .write("record_root_approval", move |tx| {
                let (tenant, now_group) = scope::group(tx, &who, Role::Operator, &path)?;
                if now_group.id != group.id || now_group.signing != group.signing {
                    return Err(Error::Busy { retry_after_s: 1 });
                }
                tx.put_root_approval((tenant.id, group.id), root, &json, now)?;
                let by = Actor::Operator(who.token);
                let event = Event::new("root-approved", group.subject(), by, now);
                tx.append(&event.with("root", &fingerprint))?;
                Ok(())
            })
            .await
    }
}

/// The root that the statement says yes to.
fn verified(
    tenant: &Tenant,
    group: &Group,
    roots: &[RootRecord],
    envelope: &Envelope,
) -> Result<(CaId, String), Error> {
    let refuse = |why: String| Err(Error::InvalidRequest(why));
    if group.signing.method == SigningMethod::Remote {
        return refuse(format!(
            "the server signs for group `{}`: its devices take a root without an approval",
            group.name
        ));
    }
    let keys = signing::public_keys(&group.signing)?;
    let trust: Trust = match envelope.open(&keys) {
        Ok(trust) => trust,
        Err(error) => return refuse(format!("the approval is not taken: {error}")),
    };
    if trust.tenant != tenant.name || trust.group != group.name {
        return refuse(format!(
            "the approval is for group `{}` of tenant `{}`",
            trust.group, trust.tenant
        ));
    }
    let named = |root: &&RootRecord| Digest::of(&root.ca.certificate).to_hex() == trust.root;
    match roots.iter().find(named) {
        Some(root) if root.ca.standing != CaStanding::Retired => Ok((root.ca.id, trust.root)),
        _ => refuse("the approval is for a root that devices are not offered".to_owned()),
    }
}
