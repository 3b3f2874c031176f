//! The chain of a tenant's events: each gets its place, heads of it are signed, and auditors take it away.

mod chain;
mod export;
mod head;
mod key;
mod look;
mod seal;
mod tally;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::TenantId;
use tokio::sync::Mutex as AsyncMutex;

use chain::Chain;
pub(crate) use chain::is_loose;
pub(crate) use look::time_of;

pub use export::EventExport;
pub use key::AuditKey;

/// What this server knows of each tenant's chain.
#[derive(Default)]
pub(crate) struct Audit {
    chains: Mutex<HashMap<TenantId, Arc<AsyncMutex<Chain>>>>,
    /// Where chains are broken: to be told at once, also while an export holds the chain for minutes.
    broken_at: Mutex<HashMap<TenantId, u64>>,
    tally: tally::Tally,
}

impl Audit {
    fn chain(&self, tenant: TenantId) -> Arc<AsyncMutex<Chain>> {
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        chains.entry(tenant).or_default().clone()
    }

    fn breaks_at(&self, tenant: TenantId, seq: u64) {
        let mut broken = self
            .broken_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        broken.insert(tenant, seq);
    }

    fn broken_at(&self, tenant: TenantId) -> Option<u64> {
        let broken = self.broken_at.lock();
        let broken = broken.unwrap_or_else(PoisonError::into_inner);
        broken.get(&tenant).copied()
    }
}
