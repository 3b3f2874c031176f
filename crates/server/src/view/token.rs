use enlist_core::Role;
use enlist_ops::{TokenAdded, TokenView};
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

pub(crate) fn token(tenant: Option<&str>, token: &TokenView) -> wire::Token {
    let record = &token.record;
    wire::Token {
        token_id: uuid(record.id.as_bytes()),
        label: record.label.clone(),
        role: role(record.role),
        short_id: record.short_id.to_string(),
        tenant: tenant.map(str::to_owned),
        group: token.group.as_ref().map(ToString::to_string),
        created_at: time(record.created_at),
        expires_at: record.expires_at.map(time),
    }
}

pub(crate) fn token_created(added: &TokenAdded) -> wire::TokenCreated {
    let record = &added.view.record;
    wire::TokenCreated {
        token_id: uuid(record.id.as_bytes()),
        label: record.label.clone(),
        role: role(record.role),
        group: added.view.group.as_ref().map(ToString::to_string),
        token: added.token.expose().to_owned().into(),
        expires_at: record.expires_at.map(time),
    }
}
