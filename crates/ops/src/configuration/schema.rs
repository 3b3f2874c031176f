//! Stating schemas.

use std::sync::Arc;

use enlist_config::diff;
use enlist_core::{ConfigurationStatement, ConfigurationTarget, Operator, Role, SigningPurpose};
use enlist_signed::{Envelope, Migration, Schema};
use serde_json::Value;

use super::aside::aside;
use super::ground::Ground;
use super::record::Draft;
use super::ruler::{Ruler, SchemaBody};
use super::{
    Applied, ConfigurationError, ConfigurationOf, ConfigurationPath, Fields, Stating, Unfit,
};
use crate::{Error, GroupPath, Ops, signing};

/// A schema to state for a group.
#[derive(Debug, Clone, Default)]
pub struct ApplySchema {
    /// The schema, where the server signs or nothing is to be stated.
    pub schema: Option<Value>,
    /// The way from the schema version before: a list of steps, each as JSON.
    pub migrations: Option<Vec<Value>>,
    /// The statement, where the operators sign.
    pub envelope: Option<Value>,
    /// How to state it.
    pub stating: Stating,
}

/// A schema that is about to be stated.
pub(super) struct SchemaProposal {
    pub(super) body: SchemaBody,
    pub(super) schema_version: u32,
    pub(super) envelope: Option<Envelope>,
    pub(super) back_to: Option<u64>,
}

impl Ops {
    /// States the schema of a group's configuration.
    ///
    /// # Errors
    /// When a field has no default, a default breaks the schema, there is no way to it from the schema
    /// before, what is stated already would not fit, or somebody signed it who may not.
    pub async fn apply_schema(
        &self,
        who: &Operator,
        group: GroupPath,
        apply: ApplySchema,
    ) -> Result<Applied, Error> {
        let path = ConfigurationPath {
            group,
            of: ConfigurationOf::Schema,
        };
        let ground = self.ground(who, path, Role::Operator).await?;
        ground.expect(apply.stating)?;
        let proposal = match (apply.schema, apply.envelope) {
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::InvalidRequest(
                    "give either `schema` or `envelope`".to_owned(),
                ));
            }
            (Some(schema), None) => {
                if let Some(applied) = unchanged(&ground, &schema)? {
                    return Ok(applied);
                }
                let highest = self.schema_up_to(&ground, u32::MAX).await?;
                next(highest.as_ref(), schema, apply.migrations)?
            }
            (None, Some(envelope)) => {
                let envelope = Envelope::from_value(&envelope).map_err(ConfigurationError::from)?;
                self.believed_schema(&ground, envelope).await?
            }
        };
        self.state_schema(who, &ground, proposal, apply.stating)
            .await
    }

    /// Checks a schema, and records it unless it is for trying.
    pub(super) async fn state_schema(
        &self,
        who: &Operator,
        ground: &Ground,
        proposal: SchemaProposal,
        stating: Stating,
    ) -> Result<Applied, Error> {
        if !stating.dry_run {
            ground.server_signs(proposal.envelope.is_some())?;
        }
        let schema_version = proposal.schema_version;
        let ruler = Arc::new(Ruler::new(&proposal.body, schema_version)?);
        let measure = ruler.clone();
        aside(move || measure.check_defaults()).await??;
        self.refuse_unfit_values(ground, &ruler).await?;
        let before = match &ground.schema {
            Some(_) => ground.ruler()?.schema.defaults(),
            None => Fields::new(),
        };
        let after = Value::Object(ruler.schema.defaults());
        let applied = Applied {
            changed: true,
            version: ground.newest + 1,
            schema_version,
            changes: diff(&ruler.schema, &Value::Object(before), &after),
        };
        if stating.dry_run {
            return Ok(applied);
        }
        let envelope = match proposal.envelope {
            Some(envelope) => envelope,
            None => {
                self.seal_schema(ground, &proposal.body, schema_version)
                    .await?
            }
        };
        let draft = Draft {
            schema_version,
            envelope,
            body: serde_json::to_string(&proposal.body).expect("a schema is JSON"),
            changes: &applied.changes,
            back_to: proposal.back_to,
        };
        self.record_configuration(who, ground, draft).await?;
        Ok(applied)
    }

    /// The statement of the highest schema version that is not above `most`.
    pub(super) async fn schema_up_to(
        &self,
        ground: &Ground,
        most: u32,
    ) -> Result<Option<ConfigurationStatement>, Error> {
        self.statement_up_to(ground, ConfigurationTarget::Schema, most, true)
            .await
    }

    async fn statement_up_to(
        &self,
        ground: &Ground,
        target: ConfigurationTarget,
        most: u32,
        highest: bool,
    ) -> Result<Option<ConfigurationStatement>, Error> {
        let (tenant, group) = (ground.tenant.id, ground.group.id);
        self.inner
            .store
            .read("configuration_up_to", move |tx| {
                Ok(if highest {
                    tx.configuration_highest(tenant, group, target, most)?
                } else {
                    tx.configuration_up_to(tenant, group, target, most)?
                })
            })
            .await
    }

    /// Refuses where values that are stated already do not fit under `ruler`.
    async fn refuse_unfit_values(&self, ground: &Ground, ruler: &Arc<Ruler>) -> Result<(), Error> {
        let target = ConfigurationTarget::Group;
        let stated = self
            .statement_up_to(ground, target, ruler.schema_version, false)
            .await?;
        let unfit = |why| {
            let whose = format!("group `{}`", ground.group.name);
            ConfigurationError::Unfit(vec![Unfit { whose, why }])
        };
        let values = match &stated {
            None => Fields::new(),
            Some(one) => {
                let values = ruler.values_of(one).map_err(|why| unfit(why.to_string()))?;
                let (measure, layer) = (ruler.clone(), values.clone());
                aside(move || measure.check(&[&layer]))
                    .await?
                    .map_err(|violations| unfit(super::error::told(&violations)))?;
                values
            }
        };
        self.refuse_misfits(ground, ruler, &values).await
    }

    async fn seal_schema(
        &self,
        ground: &Ground,
        body: &SchemaBody,
        schema_version: u32,
    ) -> Result<Envelope, Error> {
        let schema = Schema {
            tenant: ground.tenant.name.clone(),
            group: ground.group.name.clone(),
            version: ground.newest + 1,
            schema_version,
            schema: body.schema.clone(),
            migrations: body.migrations.clone(),
            at: self.now(),
        };
        let purpose = SigningPurpose::Configuration;
        let key = self.signing_key(ground.tenant.id, purpose).await?;
        Envelope::seal(&schema, &*key.signer).map_err(Error::signing)
    }

    /// What the group's own key has signed, if it is meant for this, is the next, and contradicts no
    /// schema that there was.
    async fn believed_schema(
        &self,
        ground: &Ground,
        envelope: Envelope,
    ) -> Result<SchemaProposal, Error> {
        ground.server_signs(true)?;
        let keys = signing::public_keys(&ground.group.signing)?;
        let stated: Schema = envelope.open(&keys).map_err(ConfigurationError::from)?;
        let wrong = |what| Err(ConfigurationError::NotThisStatement(what).into());
        if stated.tenant != ground.tenant.name || stated.group != ground.group.name {
            return wrong("it is for another group");
        }
        if stated.version != ground.newest + 1 {
            return Err(ground.conflict().into());
        }
        let schema_version = stated.schema_version;
        let body = SchemaBody {
            schema: stated.schema,
            migrations: stated.migrations,
        };
        let before = self.schema_up_to(ground, schema_version).await?;
        let highest = self.schema_up_to(ground, u32::MAX).await?;
        let known = highest.as_ref().map_or(0, |one| one.entry.schema_version);
        match before {
            // A schema version is one schema for good: values are named after it.
            Some(one) if one.entry.schema_version == schema_version => {
                if SchemaBody::of(&one)? != body {
                    return wrong("its schema version has another schema already");
                }
            }
            Some(one) if schema_version == known + 1 => {
                let before = SchemaBody::of(&one)?;
                if !body.migrations.starts_with(&before.migrations) {
                    return wrong("it leads there in another way than the schema before");
                }
            }
            None if schema_version == 1 => {}
            _ => return wrong("its schema version is not the next"),
        }
        Ok(SchemaProposal {
            body,
            schema_version,
            envelope: Some(envelope),
            back_to: None,
        })
    }
}

/// The same schema again is nothing new.
fn unchanged(ground: &Ground, schema: &Value) -> Result<Option<Applied>, Error> {
    let Some(statement) = &ground.schema else {
        return Ok(None);
    };
    let is_same = SchemaBody::of(statement)?.schema == *schema;
    Ok(is_same.then(|| Applied {
        changed: false,
        version: ground.newest,
        schema_version: statement.entry.schema_version,
        changes: Vec::new(),
    }))
}

/// The schema version after the highest that there was.
fn next(
    highest: Option<&ConfigurationStatement>,
    schema: Value,
    migrations: Option<Vec<Value>>,
) -> Result<SchemaProposal, Error> {
    let steps: Option<Vec<Migration>> = migrations
        .map(|steps| steps.into_iter().map(serde_json::from_value).collect())
        .transpose()
        .map_err(ConfigurationError::MalformedMigration)?;
    let (schema_version, migrations) = match (highest, steps) {
        (None, Some(steps)) if !steps.is_empty() => {
            return Err(Error::InvalidRequest(
                "migrations: the first schema has none, since there are no values yet".to_owned(),
            ));
        }
        (None, _) => (1, Vec::new()),
        (Some(before), None) => {
            let from = before.entry.schema_version;
            return Err(ConfigurationError::MigrationsMissing { from, to: from + 1 }.into());
        }
        (Some(before), Some(steps)) => {
            let mut migrations = SchemaBody::of(before)?.migrations;
            migrations.push(steps);
            (before.entry.schema_version + 1, migrations)
        }
    };
    Ok(SchemaProposal {
        body: SchemaBody { schema, migrations },
        schema_version,
        envelope: None,
        back_to: None,
    })
}
