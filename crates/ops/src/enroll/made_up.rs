//! Following the answer of a hook for a device that there is not, as an enrollment would.

use enlist_core::{Digest, Group, Hook, Tenant};
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, csr};

use super::displacing::Displacing;
use super::hook::Said;
use super::place::Arriving;
use super::{Asked, KeyOf};
use crate::hooks::{HookAnswer, Question};
use crate::{Error, Ops};

/// What a device that there is not would ask.
pub(crate) struct MadeUp(Asked);

impl MadeUp {
    /// One that asks at `group`, with a key that nobody keeps.
    pub(crate) fn new(tenant: &Tenant, group: &Group) -> Result<Self, Error> {
        let key = FileKey::generate(KeyKind::P256).map_err(Error::signing)?;
        let csr = csr::build(&key, "test-device").map_err(Error::signing)?;
        let csr = Csr::from_der(&csr)?;
        Ok(Self(Asked {
            tenant: tenant.name.to_string(),
            group: group.name.to_string(),
            secret: None,
            attested: None,
            policy: None,
            claim: None,
            name: Some("test-device".parse()?),
            hardware: Some("serial:TEST-0001".parse()?),
            key: Digest::from_bytes(csr.public_key().digest()),
            csr,
            certified: KeyOf::Csr,
            token: None,
            ttl: None,
            source: [192, 0, 2, 1].into(),
        }))
    }

    /// What a hook is asked about it.
    pub(crate) fn question<'a>(&'a self, tenant: &'a Tenant, group: &'a Group) -> Question<'a> {
        self.0.question("test", (tenant, group), Some("test"))
    }
}

impl Ops {
    /// Why no device would be let in with this answer of its group's hook; `None` where one would be.
    /// Nothing is recorded.
    pub(crate) async fn why_unfit(
        &self,
        MadeUp(asked): &MadeUp,
        (tenant, group, hook): (&Tenant, &Group, &Hook),
        answer: &HookAnswer,
    ) -> Result<Option<String>, Error> {
        let arriving = Arriving::applying(tenant, group.clone(), Displacing::default());
        let said = Said::new(hook, answer.clone());
        match self.find_place(asked, arriving, Some(&said)).await {
            Ok(_) => Ok(None),
            Err(Error::HookUnavailable { why, .. }) => Ok(Some(why.to_string())),
            Err(Error::AllocationFailed { why, .. }) => Ok(Some(why.to_string())),
            // What is in the way of a made-up device alone.
            Err(Error::HardwareConflict) => Ok(None),
            Err(Error::NameTaken { .. }) if answer.name.is_none() => Ok(None),
            Err(error @ Error::NameTaken { .. }) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
