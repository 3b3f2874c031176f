//! A schema on its way to the server.

use anyhow::Context as _;
use enlist_core::{Clock, Name, SystemClock};
use enlist_pki::PublicKey;
use enlist_signed::{Envelope, Migration, Schema, Statement};
use enlist_wire::{ApplySchema, Client, ConfigurationApplied, HistoryQuery};
use serde_json::Value;

use crate::cli::Global;
use crate::failure::refused;

/// A schema that is to be stated for a group.
#[derive(Debug)]
pub struct SchemaDraft<'a> {
    pub tenant: &'a Name,
    pub group: &'a Name,
    pub schema: Value,
    /// The steps from the schema version before.
    pub migrations: Option<Vec<Value>>,
    /// The newest statement that the caller knows of.
    pub expects: Option<u64>,
}

impl SchemaDraft<'_> {
    /// Has the server check and compare it.
    pub fn try_out(&self, client: &Client) -> anyhow::Result<ConfigurationApplied> {
        self.send(client, &self.request(true))
    }

    /// States it, signed here where the operators sign.
    pub fn state(self, global: &Global, client: &Client) -> anyhow::Result<ConfigurationApplied> {
        if !global.signing.is_own() {
            return self.send(client, &self.request(false));
        }
        let keys = client
            .signing(self.tenant.as_str(), self.group.as_str())?
            .keys;
        let signer = global.signing.signer(&keys)?;
        let tried = self.try_out(client)?;
        let (true, Some(signer)) = (tried.changed, signer) else {
            return Ok(tried);
        };
        let mut migrations = match tried.schema_version {
            1 => Vec::new(),
            version => {
                let believed = global.signing.believed(&*signer)?;
                before(client, (self.tenant, self.group), &believed, version - 1)?.migrations
            }
        };
        if tried.schema_version > 1 {
            let steps = self.migrations.clone().unwrap_or_default();
            let steps = steps.into_iter().map(serde_json::from_value);
            let steps: Result<Vec<Migration>, _> = steps.collect();
            migrations.push(steps.context("a migration does not read")?);
        }
        let schema = Schema {
            tenant: self.tenant.clone(),
            group: self.group.clone(),
            version: tried.version,
            schema_version: tried.schema_version,
            schema: self.schema.clone(),
            migrations,
            at: SystemClock.now(),
        };
        let envelope = Envelope::seal(&schema, &*signer).context("the schema was not signed")?;
        let request = ApplySchema {
            envelope: Some(enlist_wire::Envelope(envelope.to_value())),
            expects: self.expects,
            ..ApplySchema::default()
        };
        self.send(client, &request)
    }

    fn request(&self, dry_run: bool) -> ApplySchema {
        ApplySchema {
            schema: Some(self.schema.clone()),
            migrations: self.migrations.clone(),
            envelope: None,
            expects: self.expects,
            dry_run,
        }
    }

    fn send(&self, client: &Client, request: &ApplySchema) -> anyhow::Result<ConfigurationApplied> {
        Ok(client.apply_schema(self.tenant.as_str(), self.group.as_str(), request)?)
    }
}

/// The statement of a schema version, believed by the operators' own signature and not by the server's
/// word.
fn before(
    client: &Client,
    (tenant, group): (&Name, &Name),
    believed: &[PublicKey],
    schema_version: u32,
) -> anyhow::Result<Schema> {
    let mut after = None;
    loop {
        let query = HistoryQuery {
            after,
            limit: Some(100),
        };
        let page = client.schema_history(tenant.as_str(), group.as_str(), &query)?;
        let is_it = |one: &&enlist_wire::ConfigurationEntry| one.schema_version == schema_version;
        if let Some(found) = page.items.iter().find(is_it) {
            let schema = stated(client, (tenant, group), believed, found.version)?;
            return match schema.schema_version == schema_version {
                true => Ok(schema),
                false => Err(another("the schema that the server shows is another one")),
            };
        }
        after = page.next.and_then(|next| next.parse().ok());
        if after.is_none() {
            return Err(refused(
                "no-such-version",
                format!("the server does not show schema version {schema_version}"),
            ));
        }
    }
}

/// The statement of a schema with this number, if one of `believed` has signed it.
pub(super) fn stated(
    client: &Client,
    (tenant, group): (&Name, &Name),
    believed: &[PublicKey],
    version: u64,
) -> anyhow::Result<Schema> {
    let found = client.schema(tenant.as_str(), group.as_str(), Some(version))?;
    let schema: Schema = open(&found.envelope, believed, "schema")?;
    if schema.tenant != *tenant || schema.group != *group || schema.version != version {
        return Err(another("the schema that the server shows is another one"));
    }
    Ok(schema)
}

/// What an envelope that the server shows says, if one of `believed` has signed it.
pub(super) fn open<S: Statement>(
    envelope: &enlist_wire::Envelope,
    believed: &[PublicKey],
    what: &str,
) -> anyhow::Result<S> {
    Envelope::from_value(&envelope.0)?
        .open(believed)
        .map_err(|error| {
            refused(
                "statement-refused",
                format!(
                    "the {what} that the server shows is not believed: {error}. Where somebody else who signs for the group has signed it, name their public key: --signing-public-key FILE"
                ),
            )
        })
}

pub(super) fn another(words: &str) -> anyhow::Error {
    refused("statement-refused", words)
}

#[cfg(test)]
mod tests {
    use enlist_core::Timestamp;
    use enlist_keys::FileKey;
    use enlist_pki::{KeyKind, Signer as _};

    use super::*;

    #[test]
    fn what_a_key_that_the_server_alone_names_has_signed_is_not_signed_anew() {
        let [own, colleague, server] = [(); 3].map(|()| FileKey::generate(KeyKind::P256).unwrap());
        let schema = Schema {
            tenant: "acme".parse().unwrap(),
            group: "pumps".parse().unwrap(),
            version: 1,
            schema_version: 1,
            schema: serde_json::json!({}),
            migrations: Vec::new(),
            at: Timestamp::from_secs(1),
        };
        let shown = |key: &FileKey| {
            let envelope = Envelope::seal(&schema, key).unwrap();
            enlist_wire::Envelope(envelope.to_value())
        };
        let believed = [own.public_key().clone(), colleague.public_key().clone()];
        for key in [&own, &colleague] {
            let read: Schema = open(&shown(key), &believed, "schema").unwrap();
            assert_eq!(read, schema);
        }
        let refused = open::<Schema>(&shown(&server), &believed, "schema").unwrap_err();
        assert!(
            refused.to_string().contains("--signing-public-key"),
            "{refused}"
        );
    }
}
