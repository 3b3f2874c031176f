//! API tokens.

use std::time::Duration;

use enlist_core::{
    Actor, ApiToken, ApiTokenId, ApiTokenRecord, Event, Operator, Role, Subject, TenantId,
};
use enlist_store::Tx;

use crate::{Error, Ops, What, scope};

/// An API token to add.
#[derive(Debug, Clone)]
pub struct AddToken {
    /// What it is called.
    pub label: String,
    /// What it is good for.
    pub role: Role,
    /// How long it is good; `None` for ever.
    pub expires_in: Option<Duration>,
}

/// A token that was added: the one time that its text is to be had.
#[derive(Debug)]
pub struct TokenAdded {
    /// The token itself.
    pub token: ApiToken,
    /// What is on record of it.
    pub record: ApiTokenRecord,
}

impl Ops {
    /// Makes an API token: of one tenant, or of the whole installation where `tenant` is `None`.
    ///
    /// # Errors
    /// When `who` is no administrator there.
    pub async fn add_token(
        &self,
        who: &Operator,
        tenant: Option<String>,
        add: AddToken,
    ) -> Result<TokenAdded, Error> {
        if add.label.is_empty() || add.label.len() > 128 || add.label.chars().any(char::is_control)
        {
            return Err(Error::InvalidRequest(
                "label: 1 to 128 bytes without control characters".to_owned(),
            ));
        }
        let (who, now) = (who.clone(), self.now());
        let id = ApiTokenId::new(&*self.inner.clock, &*self.inner.rng);
        let token = ApiToken::generate(&*self.inner.rng);
        self.inner
            .store
            .write("add_token", move |tx| {
                let tenant = realm(tx, &who, tenant.as_deref())?;
                let record = ApiTokenRecord {
                    id,
                    tenant,
                    short_id: token.short_id().clone(),
                    digest: token.digest(),
                    label: add.label.clone(),
                    role: add.role,
                    expires_at: add.expires_in.map(|span| now + span),
                    created_at: now,
                    withdrawn: false,
                };
                tx.insert_api_token(&record)?;
                if let Some(tenant) = tenant {
                    let by = Actor::Operator(who.token);
                    let event =
                        Event::new("token-created", subject(tenant, &record.label), by, now)
                            .with("token", id)
                            .with("role", record.role);
                    tx.append(&event)?;
                }
                Ok(TokenAdded {
                    token: token.clone(),
                    record,
                })
            })
            .await
    }

    /// The API tokens of a tenant, or of the whole installation, without their texts and without
    /// those that were withdrawn.
    ///
    /// # Errors
    /// When `who` is no administrator there.
    pub async fn tokens(
        &self,
        who: &Operator,
        tenant: Option<String>,
    ) -> Result<Vec<ApiTokenRecord>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("tokens", move |tx| {
                let tenant = realm(tx, &who, tenant.as_deref())?;
                let mut tokens = tx.api_tokens(tenant)?;
                tokens.retain(|token| !token.withdrawn);
                Ok(tokens)
            })
            .await
    }

    /// Withdraws an API token: its next use is refused.
    ///
    /// # Errors
    /// When it is not there, or is the one in use.
    pub async fn withdraw_token(
        &self,
        who: &Operator,
        tenant: Option<String>,
        id: ApiTokenId,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("withdraw_token", move |tx| {
                let tenant = realm(tx, &who, tenant.as_deref())?;
                if id == who.token {
                    return Err(Error::InvalidRequest(
                        "this is the token in use: withdraw it with another one".to_owned(),
                    ));
                }
                if !tx.withdraw_api_token(tenant, id)? {
                    return Err(Error::not_found(What::Token, id));
                }
                if let Some(tenant) = tenant {
                    let by = Actor::Operator(who.token);
                    let event = Event::new("token-withdrawn", subject(tenant, ""), by, now)
                        .with("token", id);
                    tx.append(&event)?;
                }
                Ok(())
            })
            .await
    }
}

/// Whose tokens are meant: an administrator's tenant, or the whole installation.
fn realm(tx: &mut Tx<'_>, who: &Operator, tenant: Option<&str>) -> Result<Option<TenantId>, Error> {
    match tenant {
        Some(name) => Ok(Some(scope::tenant(tx, who, Role::Admin, name)?.id)),
        None => scope::installation(who).map(|()| None),
    }
}

fn subject(tenant: TenantId, name: &str) -> Subject {
    Subject {
        tenant,
        group: None,
        device: None,
        name: name.to_owned(),
    }
}
