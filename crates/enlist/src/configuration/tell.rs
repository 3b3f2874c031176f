//! What came of stating something, for people and for programs.

use enlist_wire::{ConfigurationApplied, ConfigurationChange};
use serde_json::Value;

use crate::cli::Global;
use crate::output::{self, Format, Row, Rows};
use crate::say::say;

/// Tells what was stated. `what` is its name in a sentence.
pub fn told(global: &Global, what: &str, applied: &ConfigurationApplied) -> anyhow::Result<()> {
    let ConfigurationApplied {
        version,
        schema_version,
        ..
    } = applied;
    if applied.changed {
        say!("The {what} is statement {version}, under schema version {schema_version}.");
    } else {
        say!("The {what} is that already, by statement {version}: nothing was stated.");
    }
    if global.output == Some(Format::Json) {
        return output::one(Format::Json, applied);
    }
    for change in &applied.changes {
        let [pointer, from, to] = cells(change);
        say!("  {pointer}: {from} -> {to}");
    }
    Ok(())
}

/// Tells what would come of it: the fields that would differ.
pub fn told_of_trial(
    global: &Global,
    what: &str,
    applied: &ConfigurationApplied,
) -> anyhow::Result<()> {
    match (applied.changed, applied.changes.is_empty()) {
        (false, _) => say!("The {what} is that already."),
        (true, true) => say!("The {what} would be stated anew; what devices make of it stays."),
        (true, false) => {}
    }
    let format = global.output.unwrap_or(Format::Table);
    if format == Format::Json {
        return output::one(format, applied);
    }
    if format == Format::Table && applied.changes.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::of::<ConfigurationChange>(format);
    for change in &applied.changes {
        rows.push(change)?;
    }
    rows.finish()
}

impl Row for ConfigurationChange {
    const COLUMNS: &'static [&'static str] = &["field", "from", "to"];

    fn cells(&self) -> Vec<String> {
        cells(self).into()
    }
}

impl Row for ConfigurationApplied {
    const COLUMNS: &'static [&'static str] = &["changed", "version", "schema_version", "changes"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.changed.to_string(),
            self.version.to_string(),
            self.schema_version.to_string(),
            self.changes.len().to_string(),
        ]
    }
}

fn cells(change: &ConfigurationChange) -> [String; 3] {
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    [
        change.pointer.clone(),
        shown(&change.from),
        shown(&change.to),
    ]
}
