use enlist_core::{Tenant, TenantState};
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn tenant(tenant: &Tenant) -> wire::Tenant {
    wire::Tenant {
        name: tenant.name.to_string(),
        tenant_id: uuid(tenant.id.as_bytes()),
        state: match tenant.state {
            TenantState::Active => wire::TenantState::Active,
            TenantState::AwaitingCa => wire::TenantState::AwaitingCa,
        },
        created_at: time(tenant.created_at),
    }
}
