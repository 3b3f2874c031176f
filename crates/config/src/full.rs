use jsonschema::{Draft, PatternOptions};
use serde_json::Value;

use crate::pointer::split;
use crate::{Schema, Violation};

/// The most that is said about one configuration.
const MAX_VIOLATIONS: usize = 100;

/// Checks a whole configuration against JSON Schema 2020-12 as a whole, and against the subset, which is
/// stricter in that unknown fields are refused. Nothing is fetched from anywhere. Patterns are matched in
/// linear time, so those that need backtracking (look-around, back-references) are refused. `format` says
/// something about a value and is not checked.
///
/// # Errors
/// What is wrong. A schema that is none is told as a violation of the configuration as a whole.
pub fn check_fully(schema: &Value, values: &Value) -> Result<(), Vec<Violation>> {
    let whole = |message: String| {
        vec![Violation {
            pointer: String::new(),
            message,
        }]
    };
    let parsed =
        Schema::parse(schema).map_err(|why| whole(format!("has no good schema: {why}")))?;
    let Some(fields) = values.as_object() else {
        return Err(whole("must be an object".into()));
    };
    parsed.check(fields)?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20))
        .should_validate_formats(false)
        .build(schema)
        .map_err(|why| whole(format!("has no good schema: {}", why.masked())))?;
    let violations: Vec<Violation> = validator
        .iter_errors(values)
        .take(MAX_VIOLATIONS)
        .map(|error| {
            let pointer = error.instance_path().to_string();
            match parsed.secret_above(&split(&pointer).unwrap_or_default()) {
                // Not even the names of what is inside a secret.
                Some(pointer) => Violation {
                    pointer,
                    message: "is not what the schema asks for".into(),
                },
                None => Violation {
                    pointer,
                    message: format!("is not what the schema asks for: {}", error.masked()),
                },
            }
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}
