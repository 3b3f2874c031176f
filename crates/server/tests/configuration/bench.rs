//! What the stories are told with.

use enlist_testkit::Rig;
use enlist_wire::{
    ApplyConfiguration, ApplySchema, Client, ClientError, ConfigurationApplied, ConfigurationQuery,
    Enrollment, NewToken, Role,
};
use serde_json::{Map, Value, json};

/// A server with one group, `pumps`, and its provisioning secret.
pub struct Bench {
    pub rig: Rig,
    pub secret: String,
}

impl Bench {
    pub fn new() -> Self {
        let rig = Rig::new();
        let secret = rig.group("pumps", Enrollment::Open);
        Self { rig, secret }
    }

    /// The same, with a schema in force.
    pub fn with_schema() -> Self {
        let bench = Self::new();
        bench.apply_schema(schema(), None).unwrap();
        bench
    }

    pub fn apply_schema(
        &self,
        schema: Value,
        migrations: Option<Vec<Value>>,
    ) -> Result<ConfigurationApplied, ClientError> {
        let request = ApplySchema {
            schema: Some(schema),
            migrations,
            ..ApplySchema::default()
        };
        self.rig.admin().apply_schema("default", "pumps", &request)
    }

    pub fn apply(
        &self,
        device: Option<&str>,
        values: Value,
    ) -> Result<ConfigurationApplied, ClientError> {
        let request = ApplyConfiguration {
            values: Some(fields(values)),
            ..ApplyConfiguration::default()
        };
        self.rig
            .admin()
            .apply_configuration("default", "pumps", device, &request)
    }

    /// The whole that a device or the group makes of it, in the clear.
    pub fn effective(&self, device: Option<&str>) -> Value {
        let query = ConfigurationQuery {
            effective: true,
            reveal: true,
            version: None,
        };
        let found = self
            .rig
            .admin()
            .configuration("default", "pumps", device, &query)
            .unwrap();
        Value::Object(found.effective.unwrap())
    }

    pub fn as_role(&self, role: Role) -> Client {
        let new = NewToken {
            label: "test".to_owned(),
            role,
            group: None,
            expires_in_s: None,
        };
        let created = self.rig.admin().create_token("default", &new).unwrap();
        self.rig.client_with_token(created.token.expose())
    }

    /// What is on record of kind `kind`, newest last, as text.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let query = enlist_wire::EventsQuery {
            limit: Some(1000),
            ..Default::default()
        };
        let page = self.rig.admin().events("default", &query).unwrap();
        page.items
            .into_iter()
            .filter(|event| event.kind == kind)
            .map(|event| serde_json::to_value(event).unwrap())
            .collect()
    }
}

pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("no object: {other}"),
    }
}

/// Three fields, one of them a secret.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "interval_s": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
            "site": {"type": "string", "maxLength": 40, "default": "nowhere"},
            "wifi": {
                "type": "object",
                "properties": {
                    "ssid": {"type": "string", "default": ""},
                    "password": {"type": "string", "default": "", "writeOnly": true}
                }
            }
        }
    })
}
