//! Looking at what is stated.

use enlist_core::{
    ConfigurationEntry, ConfigurationStatement, Operator, Role, Signing, SigningMethod,
    SigningPurpose,
};
use serde_json::Value;

use super::ground::Ground;
use super::ruler::{Ruler, SchemaBody, values};
use super::{ConfigurationError, ConfigurationOf, ConfigurationPath, Fields};
use crate::{Error, GroupPath, Ops, scope};

/// A schema as it is stated.
#[derive(Debug, Clone)]
pub struct SchemaView {
    /// Who stated it, when, under which number.
    pub entry: ConfigurationEntry,
    /// The schema.
    pub schema: Value,
    /// The steps that lead to it, from version 1 on, each as JSON.
    pub migrations: Vec<Vec<Value>>,
    /// The number of the newest statement.
    pub newest: u64,
    /// The highest schema version that there has been.
    pub highest_schema_version: u32,
    /// As it was signed.
    pub envelope: Value,
}

/// Values as they are stated.
#[derive(Debug, Clone)]
pub struct ConfigurationView {
    /// Who stated them, when, under which number; `None` where nothing is stated.
    pub entry: Option<ConfigurationEntry>,
    /// The schema version that the values are shown in.
    pub schema_version: u32,
    /// The values, secrets masked unless they were asked for.
    pub values: Fields,
    /// The whole that devices make of it, where that was asked for.
    pub effective: Option<Fields>,
    /// The number of the newest statement.
    pub newest: u64,
    /// As it was signed, where secrets were asked for.
    pub envelope: Option<Value>,
}

impl Ops {
    /// The schema of a group's configuration: the one that devices are to have, or an earlier one.
    ///
    /// # Errors
    /// When there is none.
    pub async fn schema(
        &self,
        who: &Operator,
        group: GroupPath,
        version: Option<u64>,
    ) -> Result<SchemaView, Error> {
        let path = ConfigurationPath {
            group,
            of: ConfigurationOf::Schema,
        };
        let mut ground = self.ground(who, path, Role::Viewer).await?;
        let statement = match version {
            Some(version) => self.needed(&ground, version).await?,
            None => ground
                .schema
                .take()
                .ok_or_else(|| ConfigurationError::NoSchema {
                    group: ground.group.name.clone(),
                })?,
        };
        let body = SchemaBody::of(&statement)?;
        let highest = self.schema_up_to(&ground, u32::MAX).await?;
        let migrations = serde_json::to_value(&body.migrations).and_then(serde_json::from_value);
        Ok(SchemaView {
            highest_schema_version: highest.map_or(0, |one| one.entry.schema_version),
            newest: ground.newest,
            envelope: envelope(&statement)?,
            schema: body.schema,
            migrations: migrations.expect("migrations are JSON"),
            entry: statement.entry,
        })
    }

    /// The values that are stated for a group or a device: those that devices are to have, or earlier
    /// ones. `reveal` shows secrets, `effective` adds the whole.
    ///
    /// # Errors
    /// When there is no schema or no such statement, or secrets are asked for without being an
    /// administrator.
    pub async fn configuration(
        &self,
        who: &Operator,
        path: ConfigurationPath,
        version: Option<u64>,
        effective: bool,
        reveal: bool,
    ) -> Result<ConfigurationView, Error> {
        if reveal {
            scope::allow(who, Role::Admin)?;
        }
        let ground = self.ground(who, path, Role::Viewer).await?;
        let ruler = ground.ruler()?;
        let earlier = match version {
            Some(version) => Some(self.needed(&ground, version).await?),
            None => None,
        };
        let shown = |ruler: &Ruler, values: Fields| match reveal {
            true => values,
            false => ruler.masked(values),
        };
        let statement = earlier.as_ref().or(ground.own_values());
        let (schema_version, fields) = match (&earlier, statement) {
            // As they were stated then, under the schema of that time.
            (Some(one), _) => {
                let version = one.entry.schema_version;
                let then = self.schema_up_to(&ground, version).await?;
                let then = then.ok_or(Error::Inconsistent("values without a schema"))?;
                (version, shown(&Ruler::of(&then)?, values(one)))
            }
            (None, Some(one)) => (ruler.schema_version, shown(&ruler, carried(&ruler, one)?)),
            (None, None) => (ruler.schema_version, Fields::new()),
        };
        let whole = match effective {
            true => Some(shown(&ruler, whole(&ground, &ruler)?)),
            false => None,
        };
        Ok(ConfigurationView {
            entry: statement.map(|one| one.entry.clone()),
            schema_version,
            values: fields,
            effective: whole,
            newest: ground.newest,
            envelope: statement.filter(|_| reveal).map(envelope).transpose()?,
        })
    }

    /// Who signs a group's configuration, with all public keys. Every role may know.
    ///
    /// # Errors
    /// When the group is not there.
    pub async fn signing_of(&self, who: &Operator, path: GroupPath) -> Result<Signing, Error> {
        let asking = who.clone();
        let (tenant, group) = self
            .inner
            .store
            .read("signing_of", move |tx| {
                scope::group(tx, &asking, asking.role, &path)
            })
            .await?;
        let mut signing = group.signing;
        if signing.method == SigningMethod::Remote {
            let purpose = SigningPurpose::Configuration;
            let key = self.signing_key(tenant.id, purpose).await?;
            signing.keys = vec![key.public_pem().to_string()];
        }
        Ok(signing)
    }

    async fn needed(&self, ground: &Ground, version: u64) -> Result<ConfigurationStatement, Error> {
        let found = self.statement(ground, version).await?;
        Ok(found.ok_or(ConfigurationError::NoSuchVersion { version })?)
    }
}

fn carried(ruler: &Ruler, statement: &ConfigurationStatement) -> Result<Fields, Error> {
    let carried = ruler.values_of(statement);
    Ok(carried.map_err(ConfigurationError::from)?)
}

/// The whole that devices make of it.
fn whole(ground: &Ground, ruler: &Ruler) -> Result<Fields, Error> {
    let layers = [&ground.group_values, &ground.device_values];
    let layers: Vec<Fields> = layers
        .into_iter()
        .flatten()
        .map(|one| carried(ruler, one))
        .collect::<Result<_, _>>()?;
    Ok(ruler.whole(&layers.iter().collect::<Vec<_>>()))
}

fn envelope(statement: &ConfigurationStatement) -> Result<Value, Error> {
    serde_json::from_slice(&statement.envelope)
        .map_err(|_| Error::Inconsistent("a signed statement on record does not read"))
}
