//! The chain of a tenant's events: each gets its place, heads of it are signed, and auditors take it away.

mod chain;
mod export;
mod head;
mod key;
mod look;
mod seal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::TenantId;
use tokio::sync::Mutex as AsyncMutex;

use chain::Chain;

pub use export::EventExport;
pub use key::AuditKey;

/// What this server knows of each tenant's chain.
#[derive(Default)]
pub(crate) struct Audit {
    chains: Mutex<HashMap<TenantId, Arc<AsyncMutex<Chain>>>>,
}

impl Audit {
    fn chain(&self, tenant: TenantId) -> Arc<AsyncMutex<Chain>> {
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        chains.entry(tenant).or_default().clone()
    }
}
