use enlist_core::{ApiTokenRecord, Role};
use enlist_ops::TokenAdded;
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn role(role: Role) -> wire::Role {
    match role {
        Role::Admin => wire::Role::Admin,
        Role::Operator => wire::Role::Operator,
        Role::Factory => wire::Role::Factory,
        Role::Viewer => wire::Role::Viewer,
    }
}

pub(crate) fn role_asked(role: wire::Role) -> Role {
    match role {
        wire::Role::Admin => Role::Admin,
        wire::Role::Operator => Role::Operator,
        wire::Role::Factory => Role::Factory,
        wire::Role::Viewer => Role::Viewer,
    }
}

pub(crate) fn token(tenant: Option<&str>, token: &ApiTokenRecord) -> wire::Token {
    wire::Token {
        token_id: uuid(token.id.as_bytes()),
        label: token.label.clone(),
        role: role(token.role),
        short_id: token.short_id.to_string(),
        tenant: tenant.map(str::to_owned),
        created_at: time(token.created_at),
        expires_at: token.expires_at.map(time),
    }
}

pub(crate) fn token_created(added: &TokenAdded) -> wire::TokenCreated {
    wire::TokenCreated {
        token_id: uuid(added.record.id.as_bytes()),
        label: added.record.label.clone(),
        role: role(added.record.role),
        token: added.token.expose().to_owned().into(),
        expires_at: added.record.expires_at.map(time),
    }
}
