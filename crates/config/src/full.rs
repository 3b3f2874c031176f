use jsonschema::{Draft, PatternCache, PatternOptions, Validator};
use serde_json::Value;

use crate::pointer::split;
use crate::{Schema, Violation};

/// The most that is said about one configuration.
const MAX_VIOLATIONS: usize = 100;
/// The most bytes that one pattern may take when it is compiled.
const PATTERN: usize = 1 << 20;
/// The most bytes that all patterns of a schema may take together: where there are many, each may take
/// less.
const PATTERNS: usize = 64 << 20;

/// A schema that is ready to check whole configurations against JSON Schema 2020-12 as a whole, and
/// against the subset, which is stricter in that unknown fields are refused.
///
/// Nothing is fetched from anywhere. Patterns are matched in linear time, so those that need backtracking
/// (look-around, back-references) are refused, and so are those that take too much memory. `format` says
/// something about a value and is not checked.
/// Making one takes much longer than a check.
#[derive(Debug)]
pub struct FullSchema {
    subset: Schema,
    whole: Validator,
}

impl FullSchema {
    /// Reads a schema.
    ///
    /// # Errors
    /// What is wrong with it, told as a violation of the configuration as a whole.
    pub fn parse(schema: &Value) -> Result<Self, Vec<Violation>> {
        let subset =
            Schema::parse(schema).map_err(|why| of_all(format!("has no good schema: {why}")))?;
        let most = PATTERN.min(PATTERNS / patterns(schema).max(1));
        let engine = PatternOptions::regex()
            .size_limit(most)
            .dfa_size_limit(most);
        let whole = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(engine)
            // However often it is referred to, each is compiled once.
            .with_pattern_cache(PatternCache::new())
            .should_validate_formats(false)
            .build(schema)
            .map_err(|why| of_all(format!("has no good schema: {}", why.masked())))?;
        Ok(Self { subset, whole })
    }

    /// Checks a whole configuration, after merging.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, values: &Value) -> Result<(), Vec<Violation>> {
        let Some(fields) = values.as_object() else {
            return Err(of_all("must be an object".into()));
        };
        self.subset.check(fields)?;
        let violations: Vec<Violation> = self
            .whole
            .iter_errors(values)
            .take(MAX_VIOLATIONS)
            .map(|error| {
                let pointer = error.instance_path().to_string();
                match self
                    .subset
                    .secret_above(&split(&pointer).unwrap_or_default())
                {
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
}

/// Checks one whole configuration, as [`FullSchema`] does.
///
/// # Errors
/// What is wrong with it, or with the schema.
pub fn check_fully(schema: &Value, values: &Value) -> Result<(), Vec<Violation>> {
    FullSchema::parse(schema)?.check(values)
}

/// How many patterns there are in a part of a schema, and perhaps a few that are none.
fn patterns(part: &Value) -> usize {
    match part {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("pattern", Value::String(_)) => 1,
                ("patternProperties", Value::Object(keyed)) => keyed.len() + patterns(value),
                _ => patterns(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(patterns).sum(),
        _ => 0,
    }
}

fn of_all(message: String) -> Vec<Violation> {
    vec![Violation {
        pointer: String::new(),
        message,
    }]
}
