use enlist_config::{Migration, MigrationError, Schema, Violation};
use enlist_signed::Layer;
use enlist_wire::ConfigurationNumbers as Numbers;
use serde_json::{Map, Value};

use super::statements::{Held, Statements};

type Values = Map<String, Value>;

/// A configuration that could be put into force.
pub(super) struct Candidate {
    /// What it came of: for each layer the newest that the schema version takes.
    pub(super) statements: Statements,
    pub(super) numbers: Numbers,
    pub(super) schema_version: u32,
    pub(super) schema: Schema,
    /// The file that programs read.
    pub(super) file: Vec<u8>,
}

/// Why there is none: a slug, and words without secrets.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// Makes the configuration that `wish` amounts to. `backups` are the statements that were in force with
/// older schema versions: where the schema was stepped back, layers of that time count again.
pub(super) fn candidate(
    wish: &Statements,
    backups: &[(u32, Statements)],
) -> Result<Candidate, Unfit> {
    let unfit = |reason, detail| Unfit { reason, detail };
    let Some(held) = &wish.schema else {
        let detail = "there are values, and no schema that says what they are".into();
        return Err(unfit("no-schema", detail));
    };
    let statement = &held.statement;
    let schema =
        Schema::parse(&statement.schema).map_err(|why| unfit("schema-invalid", why.to_string()))?;
    check_defaults(&statement.schema, &schema)?;
    let to = statement.schema_version;
    let fitting = |layer: &Option<Held<Layer>>, of: fn(&Statements) -> &Option<Held<Layer>>| {
        let now = layer.iter();
        let before = backups.iter().filter_map(|(_, older)| of(older).as_ref());
        now.chain(before)
            .filter(|held| held.statement.schema_version <= to)
            .max_by_key(|held| held.statement.version)
            .cloned()
    };
    let group = wish
        .group
        .as_ref()
        .and_then(|_| fitting(&wish.group, |s| &s.group));
    let device = wish
        .device
        .as_ref()
        .and_then(|_| fitting(&wish.device, |s| &s.device));
    let mut layers = Vec::new();
    for (name, layer) in [("group", &group), ("device", &device)] {
        let Some(held) = layer else { continue };
        let values = migrated(&held.statement, to, &statement.migrations)
            .map_err(|why| unfit("migration-failed", format!("{name}: {why}")))?;
        schema
            .check_layer(&values)
            .map_err(|found| unfit("layer-invalid", format!("{name}: {}", words(&found))))?;
        layers.push(values);
    }
    let whole = enlist_config::merge(schema.defaults(), &layers.iter().collect::<Vec<_>>());
    schema
        .check(&whole)
        .map_err(|found| unfit("invalid", words(&found)))?;
    let whole = check_fully(&statement.schema, whole.into())
        .map_err(|found| unfit("invalid", words(&found)))?;
    let statements = Statements {
        schema: wish.schema.clone(),
        group,
        device,
    };
    Ok(Candidate {
        numbers: statements.numbers(),
        statements,
        schema_version: to,
        schema,
        file: file(&whole),
    })
}

/// The file that programs read.
pub(super) fn file(values: &Value) -> Vec<u8> {
    let mut file = serde_json::to_vec_pretty(values).expect("values are texts and numbers");
    file.push(b'\n');
    file
}

fn check_defaults(document: &Value, schema: &Schema) -> Result<(), Unfit> {
    match check_fully(document, schema.defaults().into()) {
        Ok(_) => Ok(()),
        Err(found) => Err(Unfit {
            reason: "schema-invalid",
            detail: format!("the schema refuses its own defaults: {}", words(&found)),
        }),
    }
}

/// The values of a layer as the schema of version `to` has them.
fn migrated(layer: &Layer, to: u32, migrations: &[Vec<Migration>]) -> Result<Values, String> {
    let from = layer.schema_version;
    if from == to {
        return Ok(layer.values.clone());
    }
    let range = from.checked_sub(1).zip(to.checked_sub(1));
    let steps = range.and_then(|(from, to)| migrations.get(from as usize..to as usize));
    let steps = steps.ok_or_else(|| {
        format!("there are no steps from schema version {from} to {to}; state them")
    })?;
    enlist_config::migrate(layer.values.clone(), &steps.concat())
        .map_err(|why: MigrationError| why.to_string())
}

#[cfg(feature = "full-schema")]
fn check_fully(schema: &Value, values: Value) -> Result<Value, Vec<Violation>> {
    enlist_config::check_fully(schema, &values).map(|()| values)
}

/// The server has checked the whole; here the subset must do.
#[cfg(not(feature = "full-schema"))]
#[allow(
    clippy::unnecessary_wraps,
    reason = "the full check has something to say"
)]
fn check_fully(_: &Value, values: Value) -> Result<Value, Vec<Violation>> {
    Ok(values)
}

fn words(found: &[Violation]) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<String> = found.iter().take(SHOWN).map(ToString::to_string).collect();
    if found.len() > SHOWN {
        words.push(format!("and {} more", found.len() - SHOWN));
    }
    words.join("; ")
}
