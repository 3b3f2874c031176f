//! Tenants.

use enlist_core::{Name, Tenant, TenantId, TenantState};

use crate::column::{Columns, only};
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Adds a tenant. False where the name is taken.
    pub fn insert_tenant(&mut self, tenant: &Tenant) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO tenants (tenant_id, name, state, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO NOTHING",
            values![
                &tenant.id,
                &tenant.name,
                tenant.state.as_str(),
                tenant.created_at
            ],
        )?;
        Ok(added > 0)
    }

    /// A tenant by its id.
    pub fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.query_one_settled(
            "tenants",
            "SELECT tenant_id, name, state, created_at FROM tenants WHERE tenant_id = $1",
            values![&id],
            tenant,
        )
    }

    /// A tenant by its name.
    pub fn tenant_by_name(&mut self, name: &Name) -> Result<Option<Tenant>, StoreError> {
        self.query_one(
            "tenants",
            "SELECT tenant_id, name, state, created_at FROM tenants WHERE name = $1",
            values![name],
            tenant,
        )
    }

    /// Holds a tenant until the commit of a writing job, so that what it has at most can be counted.
    pub fn hold_tenant(&mut self, id: TenantId) -> Result<(), StoreError> {
        self.query_held(
            "tenants",
            "SELECT tenant_id FROM tenants WHERE tenant_id = $1",
            values![&id],
            only::<TenantId>,
        )?;
        Ok(())
    }

    /// All tenants, by name.
    pub fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        self.query(
            "tenants",
            "SELECT tenant_id, name, state, created_at FROM tenants ORDER BY name",
            &[],
            tenant,
        )
    }

    /// Saves the state of a tenant. False where it is gone.
    pub fn save_tenant(&mut self, tenant: &Tenant) -> Result<bool, StoreError> {
        let saved = self.execute(
            "UPDATE tenants SET state = $1 WHERE tenant_id = $2",
            values![tenant.state.as_str(), &tenant.id],
        )?;
        Ok(saved > 0)
    }
}

fn tenant(columns: &mut Columns<'_>) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: columns.next()?,
        name: columns.next()?,
        state: columns.text(TenantState::parse)?,
        created_at: columns.next()?,
    })
}
