//! Doing without the look: what let the last newcomer into an open group most likely lets in the
//! next one. Nothing hangs on it being right, because the transaction that records checks every
//! guard; where it is wrong, the request is looked at after all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use enlist_attest::BySecret;
use enlist_core::{EnrollmentPolicy, Group, SecretRecord, ShortId, Tenant, TenantState, Timestamp};

use super::Asked;
use super::displacing::Displacing;
use super::examine::Admission;

/// Grounds that are remembered at most.
const MOST: usize = 256;

/// Tenant and group as a request names them, and the short id of its secret.
type Key = (String, String, ShortId);

/// The open groups that let somebody in lately.
#[derive(Default)]
pub(crate) struct KnownGrounds {
    grounds: Mutex<HashMap<Key, Known>>,
}

#[derive(Clone)]
struct Known {
    tenant: Tenant,
    group: Group,
    secret: SecretRecord,
}

impl KnownGrounds {
    /// What a look would most likely say of a device that nobody has heard of.
    pub(super) fn guess(
        &self,
        asked: &Asked,
        now: Timestamp,
    ) -> Option<(Tenant, Group, Box<Admission>)> {
        // One without a name may have been announced by its hardware.
        asked.name.as_ref()?;
        let known = self.lock().get(&key(asked)?)?.clone();
        let evidence = BySecret {
            secret: asked.secret.as_ref()?,
            csr: &asked.csr,
            source: asked.source,
        };
        let secret = Some(&known.secret);
        let verified = evidence.verify(secret, known.group.id, now).ok()?;
        let admission = Admission {
            device: None,
            verified,
            secret: Some(known.secret),
            double: None,
            displacing: Displacing::default(),
        };
        Some((known.tenant, known.group, Box::new(admission)))
    }

    /// Remembers what let a device in that was new.
    pub(super) fn remember(
        &self,
        asked: &Asked,
        tenant: &Tenant,
        group: &Group,
        admission: &Admission,
    ) {
        let active = tenant.state == TenantState::Active;
        let (Some(key), Some(secret)) = (key(asked), &admission.secret) else {
            return;
        };
        if !active || group.enrollment != EnrollmentPolicy::Open || admission.device.is_some() {
            return;
        }
        // Where somebody is to be asked first, or newcomers are passed on, there is no short way.
        if group.passes_on() {
            return;
        }
        let mut grounds = self.lock();
        if grounds.len() >= MOST {
            grounds.clear();
        }
        let known = Known {
            tenant: tenant.clone(),
            group: group.clone(),
            secret: secret.clone(),
        };
        grounds.insert(key, known);
    }

    /// Forgets what has turned out wrong.
    pub(super) fn forget(&self, asked: &Asked) {
        if let Some(key) = key(asked) {
            self.lock().remove(&key);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Known>> {
        self.grounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Only of one that brings a secret, and nothing else.
fn key(asked: &Asked) -> Option<Key> {
    let secret = asked.secret.as_ref().filter(|_| asked.attested.is_none())?;
    let secret = secret.short_id().clone();
    Some((asked.tenant.clone(), asked.group.clone(), secret))
}
