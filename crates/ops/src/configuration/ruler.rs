//! A schema to measure values with.

use std::sync::OnceLock;

use enlist_config::{FullSchema, Migration, MigrationError, Schema, Violation, merge, migrate};
use enlist_core::ConfigurationStatement;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConfigurationError, Fields};
use crate::Error;

/// What a statement of a schema says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SchemaBody {
    /// The schema.
    pub(super) schema: Value,
    /// How values of each schema version become values of the next; the first leads to version 2.
    pub(super) migrations: Vec<Vec<Migration>>,
}

/// A schema to measure values with.
#[derive(Debug)]
pub(super) struct Ruler {
    pub(super) schema: Schema,
    pub(super) schema_version: u32,
    document: Value,
    /// Made when it is first needed: to look at values it is not, and to measure those of many devices it
    /// is over and over.
    full: OnceLock<Result<FullSchema, Vec<Violation>>>,
    migrations: Vec<Vec<Migration>>,
}

impl SchemaBody {
    pub(super) fn of(statement: &ConfigurationStatement) -> Result<Self, Error> {
        serde_json::from_str(&statement.body)
            .map_err(|_| Error::Inconsistent("a schema on record does not read"))
    }
}

impl Ruler {
    /// Reads a schema. It must be of version 1 and up, and have a way to it from each version before.
    pub(super) fn new(body: &SchemaBody, schema_version: u32) -> Result<Self, ConfigurationError> {
        if u32::try_from(body.migrations.len() + 1) != Ok(schema_version) {
            return Err(ConfigurationError::NotThisStatement(
                "its migrations do not lead from version 1 to its schema version",
            ));
        }
        Ok(Self {
            schema: Schema::parse(&body.schema)?,
            document: body.schema.clone(),
            full: OnceLock::new(),
            migrations: body.migrations.clone(),
            schema_version,
        })
    }

    /// The schema of a statement on record.
    pub(super) fn of(statement: &ConfigurationStatement) -> Result<Self, Error> {
        let body = SchemaBody::of(statement)?;
        Self::new(&body, statement.entry.schema_version)
            .map_err(|_| Error::Inconsistent("a schema on record is none"))
    }

    /// Whether the schema takes its own defaults.
    pub(super) fn check_defaults(&self) -> Result<(), ConfigurationError> {
        self.check_whole(self.schema.defaults())
            .map_err(ConfigurationError::Defaults)
    }

    /// Leads values of an older schema version to this one.
    pub(super) fn carry(&self, values: Fields, from: u32) -> Result<Fields, MigrationError> {
        let done = usize::try_from(from)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        self.migrations
            .iter()
            .skip(done)
            .try_fold(values, |values, steps| migrate(values, steps))
    }

    /// The values of a statement on record, led to this schema version.
    pub(super) fn values_of(
        &self,
        statement: &ConfigurationStatement,
    ) -> Result<Fields, MigrationError> {
        self.carry(values(statement), statement.entry.schema_version)
    }

    /// The whole that devices make of layers.
    pub(super) fn whole(&self, layers: &[&Fields]) -> Fields {
        merge(self.schema.defaults(), layers)
    }

    /// Checks the last of `layers` by itself, and the whole that they make.
    pub(super) fn check(&self, layers: &[&Fields]) -> Result<(), Vec<Violation>> {
        if let Some(last) = layers.last() {
            self.schema.check_layer(last)?;
        }
        self.check_whole(self.whole(layers))
    }

    fn check_whole(&self, values: Fields) -> Result<(), Vec<Violation>> {
        let full = self.full.get_or_init(|| FullSchema::parse(&self.document));
        full.as_ref()
            .map_err(Clone::clone)?
            .check(&Value::Object(values))
    }

    /// Values of this schema version, fit to be shown.
    pub(super) fn masked(&self, values: Fields) -> Fields {
        fields(self.schema.mask(&Value::Object(values), ""))
    }
}

/// The values that a statement on record says. One that does not read says none, which fails closed:
/// devices are given the statement as it was signed, never this.
pub(super) fn values(statement: &ConfigurationStatement) -> Fields {
    serde_json::from_str(&statement.body)
        .map(fields)
        .unwrap_or_default()
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}
