//! The CAs that whoever deals with a tenant's devices has to know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use enlist_core::Name;
use enlist_pki::Certificate;

use crate::{Error, Ops, What};

/// Strangers may ask, and as often as they like: the record is looked at this often at most.
const KEPT: Duration = Duration::from_secs(3);

/// What was told a moment ago. Only tenants that are there have a line.
#[derive(Default)]
pub(crate) struct TenantChains(Mutex<HashMap<Name, (Instant, Chain)>>);

type Chain = Arc<[Certificate]>;

impl TenantChains {
    fn of(&self, tenant: &Name) -> Option<Chain> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, chain) = all.get(tenant)?;
        (at.elapsed() < KEPT).then(|| chain.clone())
    }

    fn keep(&self, tenant: Name, chain: Chain) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < KEPT);
        all.insert(tenant, (Instant::now(), chain));
    }
}

impl Ops {
    /// The certificates of a tenant's CAs, which are no secret: the issuing CA first, then those
    /// that follow on it or went before, then what is above them. As of a few seconds ago at most.
    ///
    /// # Errors
    /// There is no such tenant, or it has no issuing CA yet.
    pub async fn tenant_chain(&self, tenant: &str) -> Result<Arc<[Certificate]>, Error> {
        let missing = || Error::not_found(What::Tenant, tenant);
        let name: Name = tenant.parse().map_err(|_| missing())?;
        if let Some(chain) = self.inner.tenant_chains.of(&name) {
            return Ok(chain);
        }
        let asked = name.clone();
        let found = self
            .inner
            .store
            .read("tenant_by_name", move |tx| {
                Ok::<_, Error>(tx.tenant_by_name(&asked)?)
            })
            .await?;
        let chain = self.tenant_anchors(&found.ok_or_else(missing)?).await?;
        let chain: Chain = chain.issuing.into_iter().chain(chain.above).collect();
        self.inner.tenant_chains.keep(name, chain.clone());
        Ok(chain)
    }
}
