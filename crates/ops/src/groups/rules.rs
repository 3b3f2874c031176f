//! Rules of a group that hang on what else is there.

use enlist_core::{Allocation, AttestationKind, Group, Name, TenantId, WithoutProof, ZeroTouch};
use enlist_store::Tx;

use crate::{Error, manifests};

/// What a group is to take in place of a provisioning secret; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ZeroTouchChange {
    /// The proofs that let a device in.
    pub accept: Option<Vec<AttestationKind>>,
    /// The manifest that a proved identity has to be on, by its name; `Some(None)` for none.
    pub manifest: Option<Option<Name>>,
    /// What becomes of a device that proves nothing.
    pub without_proof: Option<WithoutProof>,
}

impl ZeroTouchChange {
    /// The policy as it is afterwards; none where it would let nobody in.
    pub(super) fn over(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        before: Option<&ZeroTouch>,
    ) -> Result<Option<ZeroTouch>, Error> {
        let mut after = before.cloned().unwrap_or(ZeroTouch {
            accept: Vec::new(),
            manifest: None,
            without_proof: WithoutProof::Refuse,
        });
        if let Some(accept) = &self.accept {
            let taken = |kind: &AttestationKind| accept.contains(kind);
            after.accept = AttestationKind::ALL.into_iter().filter(taken).collect();
        }
        match &self.manifest {
            None => {}
            Some(None) => after.manifest = None,
            Some(Some(name)) => after.manifest = Some(manifests::named(tx, tenant, name)?.id),
        }
        if let Some(without_proof) = self.without_proof {
            after.without_proof = without_proof;
        }
        if after.accept.is_empty() && matches!(self.manifest, Some(Some(_))) {
            return Err(Error::InvalidRequest(
                "a manifest for zero-touch says which proved identities get in: say which proofs are accepted too, tpm or idevid".to_owned(),
            ));
        }
        if after.accept.is_empty() {
            after.manifest = None;
            if after.without_proof == WithoutProof::Refuse {
                return Ok(None);
            }
        }
        Ok(Some(after))
    }
}

/// The groups that an allocation names are there, and pass nobody on themselves.
pub(super) fn check_allocation(tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
    let Some(allocation) = &group.allocation else {
        return Ok(());
    };
    allocation.check().map_err(invalid)?;
    for name in allocation.groups() {
        if *name == group.name {
            return Err(invalid("a group can't pass newcomers on to itself"));
        }
        match tx.group_by_name(group.tenant, name)? {
            None => return Err(Error::not_found(crate::What::Group, name)),
            Some(landing) if landing.allocation.is_some() => {
                return Err(invalid(format!(
                    "the group `{name}` passes its newcomers on itself"
                )));
            }
            Some(_) => {}
        }
    }
    for other in tx.groups(group.tenant)? {
        let names_it = |allocation: &Allocation| allocation.groups().contains(&&group.name);
        if other.allocation.as_ref().is_some_and(names_it) {
            return Err(invalid(format!(
                "the group `{}` passes newcomers on to this one",
                other.name
            )));
        }
    }
    Ok(())
}

fn invalid(problem: impl std::fmt::Display) -> Error {
    Error::InvalidRequest(format!("allocation: {problem}"))
}

/// The rules in which two states of a group differ, each as `what from … to …`.
pub(super) fn differences(before: &Group, after: &Group) -> Vec<String> {
    let pairs = told(before).into_iter().zip(told(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((what, before), (_, after))| format!("{what} from {before} to {after}"))
        .collect()
}

/// The rules as they are told of, each under its name on the wire.
fn told(group: &Group) -> Vec<(&'static str, String)> {
    let hours = |span: std::time::Duration| format!("{} h", span.as_secs() / 3600);
    let days = |span: std::time::Duration| format!("{} d", span.as_secs() / (24 * 3600));
    let (profile, practice) = (&group.profile, &group.practice);
    vec![
        ("enrollment", json(&group.enrollment)),
        ("hardware_is_identity", json(&group.hardware_is_identity)),
        ("on_clone", json(&group.on_clone)),
        ("key_rotation", json(&practice.key_rotation)),
        ("on_hardware_change", json(&practice.on_hardware_change)),
        ("approval_timeout", hours(group.approval_timeout)),
        ("recovery_window", days(group.recovery_window)),
        ("storage_time", days(group.storage_time)),
        ("lifetime", hours(profile.lifetime)),
        ("max_lifetime", hours(profile.max_lifetime)),
        ("server_auth", json(&profile.server_auth)),
        ("dns_suffix", json(&profile.dns_suffix)),
        ("csr_extras", json(&profile.extras)),
        ("zero_touch", json(&group.zero_touch)),
        ("allocation", json(&group.allocation)),
    ]
}

/// A word bare, `nothing` for what is not there, and JSON for what is more than a word.
fn json(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Null) | Err(_) => "nothing".to_owned(),
        Ok(value) => value.to_string(),
    }
}

/// The name of the manifest that a group names.
pub(super) fn manifest(tx: &mut Tx<'_>, group: &Group) -> Result<Option<Name>, Error> {
    let policy = group.zero_touch.as_ref();
    match policy.and_then(|policy| policy.manifest) {
        None => Ok(None),
        Some(id) => manifests::name_of(tx, group.tenant, id),
    }
}
