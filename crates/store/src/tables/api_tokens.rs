//! API tokens.

use enlist_core::{ApiTokenId, ApiTokenRecord, ShortId, TenantId};

use crate::column::Columns;
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT token_id, tenant_id, short_id, digest, label, role, expires_at, created_at,
                    withdrawn, group_id
             FROM api_tokens ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds an API token.
    pub fn insert_api_token(&mut self, token: &ApiTokenRecord) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO api_tokens (token_id, tenant_id, short_id, digest, label, role,
                 expires_at, created_at, withdrawn, group_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            values![
                &token.id,
                token.tenant.as_ref(),
                &token.short_id,
                &token.digest,
                &token.label,
                token.role.as_str(),
                token.expires_at,
                token.created_at,
                token.withdrawn,
                token.group.as_ref()
            ],
        )?;
        Ok(())
    }

    /// An API token by its short id. It takes no tenant: it is what tells the tenant of a
    /// caller who has shown one.
    pub fn api_token_by_short_id(
        &mut self,
        short_id: &ShortId,
    ) -> Result<Option<ApiTokenRecord>, StoreError> {
        self.query_one(
            "api_tokens",
            select!("WHERE short_id = $1"),
            values![short_id],
            api_token,
        )
    }

    /// The API tokens of a tenant, or of the whole installation, in the order of their making.
    pub fn api_tokens(
        &mut self,
        tenant: Option<TenantId>,
    ) -> Result<Vec<ApiTokenRecord>, StoreError> {
        self.query(
            "api_tokens",
            select!("WHERE tenant_id IS NOT DISTINCT FROM $1 ORDER BY created_at, token_id"),
            values![tenant.as_ref()],
            api_token,
        )
    }

    /// Withdraws an API token. False where there is none such, or it was withdrawn before.
    pub fn withdraw_api_token(
        &mut self,
        tenant: Option<TenantId>,
        id: ApiTokenId,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE api_tokens SET withdrawn = 1
             WHERE token_id = $1 AND tenant_id IS NOT DISTINCT FROM $2 AND withdrawn = 0",
            values![&id, tenant.as_ref()],
        )?;
        Ok(changed > 0)
    }
}

fn api_token(columns: &mut Columns<'_>) -> Result<ApiTokenRecord, StoreError> {
    Ok(ApiTokenRecord {
        id: columns.next()?,
        tenant: columns.next()?,
        short_id: columns.next()?,
        digest: columns.next()?,
        label: columns.next()?,
        role: columns.text(|text| text.parse().ok())?,
        expires_at: columns.next()?,
        created_at: columns.next()?,
        withdrawn: columns.next()?,
        group: columns.next()?,
    })
}
