//! Groups whose operators sign by themselves: the server can't, and nobody else can.

use enlist_core::{Clock, DeviceId};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_signed::{Envelope, Layer, Schema, Statement, Target};
use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    ApplyConfiguration, ApplySchema, ClientError, ConfigurationApplied, Enrollment, NewGroup,
    PollRequest, RollbackRequest, Signing, SigningMethod,
};
use serde_json::json;

use crate::bench::{Bench, fields, schema};

struct Own {
    rig: Rig,
    key: FileKey,
    secret: String,
}

impl Own {
    /// A group `valves` with a key of its own, and its first schema.
    fn new() -> Self {
        let rig = Rig::new();
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let group = NewGroup {
            enrollment: Enrollment::Open,
            signing: Signing {
                method: SigningMethod::Local,
                keys: vec![key.public_key().to_pem()],
            },
            ..NewGroup::named("valves")
        };
        let secret = rig.group_with(&group);
        let own = Self { rig, key, secret };
        own.send_schema(&own.schema(1), &own.key).unwrap();
        own
    }

    fn schema(&self, version: u64) -> Schema {
        Schema {
            tenant: "default".parse().unwrap(),
            group: "valves".parse().unwrap(),
            version,
            schema_version: 1,
            schema: schema(),
            migrations: Vec::new(),
            at: self.rig.clock.now(),
        }
    }

    fn layer(&self, version: u64) -> Layer {
        Layer {
            tenant: "default".parse().unwrap(),
            group: "valves".parse().unwrap(),
            target: Target::Group,
            version,
            schema_version: 1,
            values: fields(json!({"interval_s": 10 + version})),
            at: self.rig.clock.now(),
        }
    }

    fn send_schema(
        &self,
        schema: &Schema,
        key: &FileKey,
    ) -> Result<ConfigurationApplied, ClientError> {
        let request = ApplySchema {
            envelope: Some(sealed(schema, key)),
            ..ApplySchema::default()
        };
        self.rig.admin().apply_schema("default", "valves", &request)
    }

    fn send(&self, layer: &Layer, key: &FileKey) -> Result<ConfigurationApplied, ClientError> {
        let request = ApplyConfiguration {
            envelope: Some(sealed(layer, key)),
            ..ApplyConfiguration::default()
        };
        self.rig
            .admin()
            .apply_configuration("default", "valves", None, &request)
    }
}

fn sealed(statement: &impl Statement, key: &FileKey) -> enlist_wire::Envelope {
    enlist_wire::Envelope(Envelope::seal(statement, key).unwrap().to_value())
}

#[test]
fn the_server_signs_nothing_for_operators_who_sign_by_themselves() {
    let own = Own::new();
    let plain = |dry_run| {
        let request = ApplyConfiguration {
            values: Some(fields(json!({"interval_s": 5}))),
            dry_run,
            ..ApplyConfiguration::default()
        };
        let admin = own.rig.admin();
        admin.apply_configuration("default", "valves", None, &request)
    };
    assert_eq!(refusal(plain(false)), "signing-method-mismatch");
    assert!(plain(true).unwrap().changed, "checking takes no signature");
    own.send(&own.layer(1), &own.key).unwrap();
    let back = RollbackRequest {
        to: 1,
        ..RollbackRequest::default()
    };
    own.send(&own.layer(2), &own.key).unwrap();
    let admin = own.rig.admin();
    let refused = admin.rollback_configuration("default", "valves", None, &back);
    assert_eq!(refusal(refused), "signing-method-mismatch");

    // And what a device gets is what the operator signed, byte for byte.
    let device = own.rig.enrolled_device("valves", "valve-1", &own.secret);
    let reply = device
        .client(&own.rig)
        .poll(&PollRequest::default())
        .unwrap();
    let offered = Envelope::from_value(&reply.configuration.group.unwrap().0).unwrap();
    let layer: Layer = offered.open([own.key.public_key()]).unwrap();
    assert_eq!(layer, own.layer(2));
}

#[test]
fn another_keys_signature_counts_for_nothing() {
    let own = Own::new();
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    assert_eq!(
        refusal(own.send(&own.layer(1), &stranger)),
        "statement-refused"
    );
    assert_eq!(
        refusal(own.send_schema(&own.schema(2), &stranger)),
        "statement-refused"
    );
    // Nor does the right signature under something else.
    let mut forged = sealed(&own.layer(1), &own.key);
    let other = sealed(
        &Layer {
            values: fields(json!({"interval_s": 1})),
            ..own.layer(1)
        },
        &stranger,
    );
    forged.0["payload"] = other.0["payload"].clone();
    let request = ApplyConfiguration {
        envelope: Some(forged),
        ..ApplyConfiguration::default()
    };
    let admin = own.rig.admin();
    let refused = admin.apply_configuration("default", "valves", None, &request);
    assert_eq!(refusal(refused), "statement-refused");
    let request = ApplyConfiguration {
        envelope: Some(enlist_wire::Envelope(json!({"payload": 1}))),
        ..ApplyConfiguration::default()
    };
    let refused = admin.apply_configuration("default", "valves", None, &request);
    assert_eq!(refusal(refused), "statement-refused");
}

#[test]
fn a_statement_is_for_one_place_and_one_number() {
    let own = Own::new();
    let elsewhere = [
        Layer {
            tenant: "acme".parse().unwrap(),
            ..own.layer(1)
        },
        Layer {
            group: "default".parse().unwrap(),
            ..own.layer(1)
        },
        Layer {
            target: Target::Device(DeviceId::from_bytes([7; 16])),
            ..own.layer(1)
        },
        Layer {
            schema_version: 2,
            ..own.layer(1)
        },
    ];
    for layer in elsewhere {
        assert_eq!(
            refusal(own.send(&layer, &own.key)),
            "statement-refused",
            "{layer:?}"
        );
    }
    let skipping = own.send(&own.layer(2), &own.key);
    assert_eq!(refusal(skipping), "configuration-conflict");
    own.send(&own.layer(1), &own.key).unwrap();
    let replayed = own.send(&own.layer(1), &own.key);
    assert_eq!(refusal(replayed), "configuration-conflict");
}

#[test]
fn a_schema_version_is_one_schema_for_good() {
    let own = Own::new();
    let mut other = own.schema(2);
    other.schema["properties"]["site"]["default"] = json!("elsewhere");
    assert_eq!(
        refusal(own.send_schema(&other, &own.key)),
        "statement-refused"
    );
    other.schema_version = 2;
    assert_eq!(
        refusal(own.send_schema(&other, &own.key)),
        "statement-refused",
        "no way from version 1"
    );
    other.migrations = vec![Vec::new()];
    own.send_schema(&other, &own.key).unwrap();
    let mut skipping = other.clone();
    skipping.version = 3;
    skipping.schema_version = 4;
    skipping.migrations = vec![Vec::new(); 3];
    assert_eq!(
        refusal(own.send_schema(&skipping, &own.key)),
        "statement-refused"
    );
    // Stepping back is stating the first again, under the next number.
    own.send_schema(&own.schema(3), &own.key).unwrap();
}

#[test]
fn where_the_server_signs_nobody_elses_signature_is_taken() {
    let bench = Bench::with_schema();
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let layer = Layer {
        tenant: "default".parse().unwrap(),
        group: "pumps".parse().unwrap(),
        target: Target::Group,
        version: 1,
        schema_version: 1,
        values: fields(json!({})),
        at: bench.rig.clock.now(),
    };
    let request = ApplyConfiguration {
        envelope: Some(sealed(&layer, &key)),
        ..ApplyConfiguration::default()
    };
    let admin = bench.rig.admin();
    let refused = admin.apply_configuration("default", "pumps", None, &request);
    assert_eq!(refusal(refused), "signing-method-mismatch");
}
