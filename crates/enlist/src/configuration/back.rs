//! Going back where the operators sign: what was stated before is read, believed by the operators'
//! own signature, and signed anew.

use anyhow::Context as _;
use enlist_config::migrate;
use enlist_core::{Clock, Name, SystemClock};
use enlist_signed::{Envelope, Layer, Schema};
use enlist_wire::{ApplySchema, Client, ConfigurationApplied, ConfigurationQuery, RollbackRequest};
use serde_json::{Map, Value};

use super::ValuesDraft;
use super::schema::{another, open, stated};
use crate::cli::Global;

/// Goes back to an earlier schema with a signature made here.
pub fn restate_schema(
    global: &Global,
    client: &Client,
    (tenant, group): (&Name, &Name),
    request: &RollbackRequest,
) -> anyhow::Result<ConfigurationApplied> {
    let keys = client.signing(tenant.as_str(), group.as_str())?.keys;
    let signer = global.signing.signer(&keys)?;
    let signer = signer.context("the server signs for this group")?;
    let believed = global.signing.believed(&*signer)?;
    let before = stated(client, (tenant, group), &believed, request.to)?;
    let newest = client.schema(tenant.as_str(), group.as_str(), None)?.newest;
    let schema = Schema {
        version: newest + 1,
        at: SystemClock.now(),
        ..before
    };
    let envelope = Envelope::seal(&schema, &*signer).context("the schema was not signed")?;
    let request = ApplySchema {
        envelope: Some(enlist_wire::Envelope(envelope.to_value())),
        expects: request.expects,
        ..ApplySchema::default()
    };
    Ok(client.apply_schema(tenant.as_str(), group.as_str(), &request)?)
}

/// The values of an earlier statement about what `draft` is about, led to the schema version of today.
pub fn earlier_values(
    global: &Global,
    client: &Client,
    draft: &ValuesDraft<'_>,
    version: u64,
) -> anyhow::Result<Map<String, Value>> {
    let (tenant, group) = (draft.tenant, draft.group);
    let keys = client.signing(tenant.as_str(), group.as_str())?.keys;
    let signer = global.signing.signer(&keys)?;
    let signer = signer.context("the server signs for this group")?;
    let believed = global.signing.believed(&*signer)?;
    let query = ConfigurationQuery {
        version: Some(version),
        reveal: true,
        effective: false,
    };
    let device = draft.device.map(Name::as_str);
    let shown = client.configuration(tenant.as_str(), group.as_str(), device, &query)?;
    let envelope = shown.envelope.context("the server shows no statement")?;
    let layer: Layer = open(&envelope, &believed, "configuration")?;
    let is_it = layer.tenant == *tenant
        && layer.group == *group
        && layer.version == version
        && layer.target == draft.target(client)?;
    if !is_it {
        return Err(another(
            "the configuration that the server shows is another one",
        ));
    }
    let today = client.schema(tenant.as_str(), group.as_str(), None)?;
    let today = stated(client, (tenant, group), &believed, today.version)?;
    if layer.schema_version > today.schema_version {
        return Err(another(
            "its values are of a newer schema version than the one in force; go back to that schema first",
        ));
    }
    let done = usize::try_from(layer.schema_version)?.saturating_sub(1);
    let mut way = today.migrations.iter().skip(done);
    Ok(way.try_fold(layer.values, |values, steps| migrate(values, steps))?)
}
