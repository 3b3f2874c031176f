//! Who calls the management API.

use enlist_core::{ApiToken, Operator};

use crate::{Error, Ops};

impl Ops {
    /// Finds out who holds `bearer`, the text of an API token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], whatever is wrong with it.
    pub async fn authenticate(&self, bearer: &str) -> Result<Operator, Error> {
        let token = ApiToken::parse(bearer).map_err(|_| Error::Unauthenticated)?;
        let short_id = token.short_id().clone();
        let record = self
            .inner
            .store
            .read("authenticate", move |tx| {
                Ok::<_, Error>(tx.api_token_by_short_id(&short_id)?)
            })
            .await?
            .filter(|record| record.digest == token.digest() && record.is_live(self.now()))
            .ok_or(Error::Unauthenticated)?;
        Ok(Operator {
            token: record.id,
            label: record.label,
            tenant: record.tenant,
            group: record.group,
            role: record.role,
            expires_at: record.expires_at,
        })
    }

    /// Whether the store takes writes, and answers. Nothing is changed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), Error> {
        let store = &self.inner.store;
        store
            .write("prove_writable", |tx| Ok::<_, Error>(tx.prove_writable()?))
            .await?;
        store
            .read("prove_readable", |tx| Ok::<_, Error>(tx.prove_readable()?))
            .await
    }
}
