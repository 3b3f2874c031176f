//! The CA that issues for a tenant at this moment.

use std::sync::Arc;

use enlist_core::{CaKind, CaStanding, Tenant, TenantId};

use super::{KnownCa, standing};
use crate::authorities::Issuing;
use crate::{Error, Ops};

impl Ops {
    /// The issuing CA of a tenant.
    pub(crate) async fn issuing_ca(&self, tenant: &Tenant) -> Result<Arc<Issuing>, Error> {
        let hierarchy = self.inner.authorities.hierarchy();
        if let Some(issuing) = hierarchy.issuing(tenant.id) {
            return Ok(issuing);
        }
        let epoch = hierarchy.epoch();
        let cas = self.cas_of(tenant.id).await?;
        let current = standing(&cas, CaStanding::Current).ok_or_else(|| Error::AwaitingCa {
            name: tenant.name.clone(),
        })?;
        let pointers = self.inner.revocation.pointers(current.id, current.tenant);
        let issuing = self.inner.authorities.open_issuing(current, &pointers)?;
        Ok(hierarchy.issue_by(tenant.id, Arc::new(issuing), epoch))
    }

    /// Goes over to the CA that issues for a tenant by now, where that is another one than this server
    /// took it for.
    pub(crate) async fn follow_issuing(&self, tenant: TenantId) -> Result<(), Error> {
        let hierarchy = self.inner.authorities.hierarchy();
        let Some(held) = hierarchy.issuing(tenant) else {
            return Ok(());
        };
        let cas = self.cas_of(tenant).await?;
        let current = standing(&cas, CaStanding::Current);
        if current.is_none_or(|ca| ca.certificate != *held.ca.certificate()) {
            hierarchy.forget(&[tenant]);
        }
        Ok(())
    }

    /// Whether a recording missed because the CA that had signed was retired meanwhile. This server knows
    /// the one that issues now then, and it is to be signed and recorded again.
    pub(crate) async fn is_superseded_ca<T>(
        &self,
        tenant: TenantId,
        outcome: &Result<T, Error>,
    ) -> Result<bool, Error> {
        if !matches!(outcome, Err(Error::CaSuperseded)) {
            return Ok(false);
        }
        self.follow_issuing(tenant).await?;
        Ok(true)
    }

    /// The issuing CAs of a tenant, newest first.
    pub(crate) async fn cas_of(&self, tenant: TenantId) -> Result<Vec<KnownCa>, Error> {
        let records = self
            .inner
            .store
            .read("cas_of", move |tx| {
                Ok::<_, Error>(tx.cas(CaKind::Issuing, Some(tenant))?)
            })
            .await?;
        KnownCa::all(records)
    }
}
