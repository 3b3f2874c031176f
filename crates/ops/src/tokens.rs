//! API tokens.

use std::time::Duration;

use enlist_core::{
    Actor, ApiToken, ApiTokenId, ApiTokenRecord, Event, Group, Name, Operator, Role, Subject,
    TenantId, Timestamp,
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
    /// The one group of its tenant that it is good for; `None` for as much as its maker's is.
    pub group: Option<String>,
    /// How long it is good; `None` for ever.
    pub expires_in: Option<Duration>,
}

/// A token that was added: the one time that its text is to be had.
#[derive(Debug)]
pub struct TokenAdded {
    /// The token itself.
    pub token: ApiToken,
    /// What is on record of it.
    pub view: TokenView,
}

/// What is on record of an API token, with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// The record.
    pub record: ApiTokenRecord,
    /// The name of the one group that it is good for.
    pub group: Option<Name>,
}

/// Whose tokens an operation is about.
struct Realm {
    tenant: Option<TenantId>,
    group: Option<Group>,
}

impl Ops {
    /// Makes an API token: of one tenant or one group of it, or of the whole installation where `tenant`
    /// is `None`. It can do no more than the token that makes it, and for no longer.
    ///
    /// # Errors
    /// When `who` is no administrator there, or it would be good for longer.
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
                let realm = realm(tx, &who, tenant.as_deref(), add.group.as_deref())?;
                let expires_at = add.expires_in.map(|span| now + span);
                no_longer_than(&who, expires_at, now)?;
                let record = ApiTokenRecord {
                    id,
                    tenant: realm.tenant,
                    group: realm.group.as_ref().map(|group| group.id),
                    short_id: token.short_id().clone(),
                    digest: token.digest(),
                    label: add.label.clone(),
                    role: add.role,
                    expires_at,
                    created_at: now,
                    withdrawn: false,
                };
                tx.insert_api_token(&record)?;
                for subject in subjects(tx, &record)? {
                    let by = Actor::Operator(who.token);
                    let mut event = Event::new("token-created", subject, by, now)
                        .with("token", id)
                        .with("role", record.role);
                    if let Some(span) = add.expires_in {
                        event = event.with("expires_in_s", span.as_secs());
                    }
                    tx.append(&event)?;
                }
                Ok(TokenAdded {
                    token: token.clone(),
                    view: TokenView {
                        record,
                        group: realm.group.map(|group| group.name),
                    },
                })
            })
            .await
    }

    /// The API tokens of a tenant, or of the whole installation, without their texts and without
    /// those that were withdrawn. A token of one group sees those of its group.
    ///
    /// # Errors
    /// When `who` is no administrator there.
    pub async fn tokens(
        &self,
        who: &Operator,
        tenant: Option<String>,
    ) -> Result<Vec<TokenView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("tokens", move |tx| {
                let realm = realm(tx, &who, tenant.as_deref(), None)?;
                let only = realm.group.map(|group| group.id);
                let mut tokens = Vec::new();
                for record in tx.api_tokens(realm.tenant)? {
                    if record.withdrawn || only.is_some() && record.group != only {
                        continue;
                    }
                    let group = match (realm.tenant, record.group) {
                        (Some(tenant), Some(group)) => tx.group(tenant, group)?,
                        _ => None,
                    };
                    let group = group.map(|group| group.name);
                    tokens.push(TokenView { record, group });
                }
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
                let realm = realm(tx, &who, tenant.as_deref(), None)?;
                if id == who.token {
                    return Err(Error::InvalidRequest(
                        "this is the token in use: withdraw it with another one".to_owned(),
                    ));
                }
                let missing = || Error::not_found(What::Token, id);
                let only = realm.group.map(|group| group.id);
                let record = tx
                    .api_tokens(realm.tenant)?
                    .into_iter()
                    .find(|record| record.id == id && (only.is_none() || record.group == only))
                    .ok_or_else(missing)?;
                if !tx.withdraw_api_token(realm.tenant, id)? {
                    return Err(missing());
                }
                withdrawn(tx, &record, &Actor::Operator(who.token), now)
            })
            .await
    }
}

/// Withdraws the tokens of a group that is no more.
pub(crate) fn withdraw_all_of(
    tx: &mut Tx<'_>,
    group: &Group,
    by: &Actor,
    now: Timestamp,
) -> Result<(), Error> {
    for record in tx.api_tokens(Some(group.tenant))? {
        if record.group == Some(group.id) && tx.withdraw_api_token(record.tenant, record.id)? {
            withdrawn(tx, &record, by, now)?;
        }
    }
    Ok(())
}

fn withdrawn(
    tx: &mut Tx<'_>,
    record: &ApiTokenRecord,
    by: &Actor,
    now: Timestamp,
) -> Result<(), Error> {
    for subject in subjects(tx, record)? {
        let event = Event::new("token-withdrawn", subject, by.clone(), now);
        tx.append(&event.with("token", record.id))?;
    }
    Ok(())
}

/// Whose tokens are meant: the whole installation's, or those of an administrator's tenant or group.
fn realm(
    tx: &mut Tx<'_>,
    who: &Operator,
    tenant: Option<&str>,
    group: Option<&str>,
) -> Result<Realm, Error> {
    let Some(name) = tenant else {
        scope::installation(who)?;
        return match group {
            None => Ok(Realm {
                tenant: None,
                group: None,
            }),
            Some(_) => Err(Error::InvalidRequest(
                "group: a token of the whole installation is of no group".to_owned(),
            )),
        };
    };
    let (tenant, own) = scope::part(tx, who, Role::Admin, name)?;
    let group = match (group, own) {
        (None, None) => None,
        (None, Some(own)) => Some(own),
        (Some(group), _) => Some(scope::group_in(tx, who, tenant.id, group)?.id),
    };
    let group = match group {
        None => None,
        // Held, so that it is not deleted while it gets a token.
        Some(id) => Some(
            tx.group_to_change(tenant.id, id)?
                .ok_or(Error::NotTenantWide)?,
        ),
    };
    Ok(Realm {
        tenant: Some(tenant.id),
        group,
    })
}

/// A token makes none that outlives it.
fn no_longer_than(
    who: &Operator,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    match who.expires_at {
        Some(own) if expires_at.is_none_or(|end| end > own) => {
            let left = own.since(now).as_secs();
            Err(Error::InvalidRequest(format!(
                "expires_in_s: the token in use is good for {left} seconds more, and makes none that is good for longer"
            )))
        }
        _ => Ok(()),
    }
}

/// In whose records it is told: where a token is good for the whole installation, in every tenant's.
fn subjects(tx: &mut Tx<'_>, record: &ApiTokenRecord) -> Result<Vec<Subject>, Error> {
    let tenants = match record.tenant {
        Some(tenant) => vec![tenant],
        None => tx.tenants()?.into_iter().map(|one| one.id).collect(),
    };
    let subject = |tenant| Subject {
        tenant,
        group: record.group,
        device: None,
        name: record.label.clone(),
    };
    Ok(tenants.into_iter().map(subject).collect())
}
