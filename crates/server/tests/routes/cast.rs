//! Who appears: holders of API tokens of every kind.

use std::ops::Deref;

use enlist_ops::Reach;
use enlist_server::Entry;
use enlist_testkit::Rig;
use enlist_wire::{Enrollment, NewGroup, NewTenant, NewToken, Role};

/// The roles, by how little they may.
pub const ROLES: [Role; 4] = [Role::Viewer, Role::Factory, Role::Operator, Role::Admin];

/// A server with an open group `pumps`, which is empty, beside a group `valves` and a tenant `acme`.
pub struct Hall {
    rig: Rig,
    /// The provisioning secret of `pumps`.
    pub secret: String,
}

impl Deref for Hall {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl Hall {
    pub fn new() -> Self {
        let rig = Rig::new();
        let secret = rig.group("pumps", Enrollment::Open);
        rig.group("valves", Enrollment::Open);
        let admin = rig.admin();
        admin.create_tenant(&NewTenant::named("acme")).unwrap();
        let theirs = NewGroup::named("pumps");
        admin.create_group("acme", &theirs).unwrap();
        Self { rig, secret }
    }

    /// A token of a tenant, or of one group of it.
    pub fn token(&self, tenant: &str, group: Option<&str>, role: Role) -> String {
        self.short_token(tenant, group, role, None)
    }

    fn short_token(
        &self,
        tenant: &str,
        group: Option<&str>,
        role: Role,
        expires_in_s: Option<u64>,
    ) -> String {
        let new = NewToken {
            label: "walker".to_owned(),
            role,
            group: group.map(str::to_owned),
            expires_in_s,
        };
        let created = self.admin().create_token(tenant, &new).unwrap();
        created.token.expose().to_owned()
    }

    /// A token of the whole installation.
    pub fn wide_token(&self, role: Role) -> String {
        let new = NewToken {
            label: "walker".to_owned(),
            role,
            group: None,
            expires_in_s: None,
        };
        let created = self.admin().create_installation_token(&new).unwrap();
        created.token.expose().to_owned()
    }

    /// One that may do everything for a second more, and one that was withdrawn.
    pub fn spent_tokens(&self) -> [String; 2] {
        let short = self.short_token("default", None, Role::Admin, Some(60));
        let withdrawn = self.token("default", None, Role::Admin);
        let own = self.client_with_token(&withdrawn).whoami().unwrap();
        self.admin().delete_token("default", own.token_id).unwrap();
        self.clock.advance(std::time::Duration::from_secs(60));
        [short, withdrawn]
    }

    /// The least that a route lets in: its own role, and no more than `group` where it is about one.
    pub fn least_token(&self, entry: Entry, group: &str) -> String {
        let Entry::Token { role, reach } = entry else {
            panic!("a route for everybody, or for nobody");
        };
        let role = role.map_or(Role::Viewer, on_the_wire);
        match reach {
            Reach::Installation => self.wide_token(role),
            Reach::Tenant => self.token("default", None, role),
            Reach::Group => self.token("default", Some(group), role),
        }
    }

    /// How many events there are in all records.
    pub fn events(&self) -> usize {
        let tenants = self.admin().tenants().unwrap().items;
        let count = |tenant: &str| {
            let query = enlist_wire::EventsQuery {
                limit: Some(1000),
                ..Default::default()
            };
            self.admin().events(tenant, &query).unwrap().items.len()
        };
        tenants.iter().map(|tenant| count(&tenant.name)).sum()
    }
}

pub fn on_the_wire(role: enlist_core::Role) -> Role {
    serde_json::from_value(role.as_str().into()).unwrap()
}

pub fn includes(role: Role, needed: Option<enlist_core::Role>) -> bool {
    let role: enlist_core::Role = enlist_wire_word(role).parse().unwrap();
    needed.is_none_or(|needed| role.includes(needed))
}

fn enlist_wire_word(role: Role) -> String {
    let word = serde_json::to_value(role).unwrap();
    word.as_str().unwrap().to_owned()
}
