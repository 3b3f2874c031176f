use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::pointer;

/// One step that leads values of one schema version towards the next. Fields are named by JSON pointers
/// (RFC 6901) through objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Migration {
    /// The value moves, where there is one.
    Rename {
        /// Where it was.
        from: String,
        /// Where it goes.
        to: String,
    },
    /// The value goes, where there is one.
    Remove {
        /// Where it was.
        path: String,
    },
    /// The value is set, whatever it was.
    Set {
        /// Where.
        path: String,
        /// To what.
        value: Value,
    },
    /// Each value that is listed becomes another; values that are not listed stay.
    Map {
        /// Where.
        path: String,
        /// From the value, as text, to what it becomes.
        values: Map<String, Value>,
    },
    /// A number is multiplied: another unit.
    Scale {
        /// Where.
        path: String,
        /// By what.
        by: f64,
    },
}

/// Why a step can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It names no field.
    #[error("`{0}` does not name a field; write a JSON pointer such as /network/port")]
    NotAField(String),
    /// The way to where a value would go leads through something that is no object.
    #[error("nothing can be put at {0}: what it would be in is no object")]
    NoRoom(String),
    /// What is to be multiplied is no number, or what comes of it is none.
    #[error("{0} can't be multiplied")]
    NotANumber(String),
}

/// Leads `values` through `steps`, in order.
///
/// # Errors
/// The first step that can't be taken.
pub fn migrate(
    mut values: Map<String, Value>,
    steps: &[Migration],
) -> Result<Map<String, Value>, MigrationError> {
    for step in steps {
        take(&mut values, step)?;
    }
    Ok(values)
}

fn take(values: &mut Map<String, Value>, step: &Migration) -> Result<(), MigrationError> {
    match step {
        Migration::Rename { from, to } => {
            let (from, target) = (field(from)?, field(to)?);
            if let Some(value) = remove(values, &from) {
                put(values, &target, value).ok_or_else(|| MigrationError::NoRoom(to.clone()))?;
            }
        }
        Migration::Remove { path } => {
            remove(values, &field(path)?);
        }
        Migration::Set { path, value } => put(values, &field(path)?, value.clone())
            .ok_or_else(|| MigrationError::NoRoom(path.clone()))?,
        Migration::Map { path, values: to } => {
            if let Some(value) = find(values, &field(path)?)
                && let Some(other) = as_text(value).and_then(|text| to.get(&text))
            {
                *value = other.clone();
            }
        }
        Migration::Scale { path, by } => match find(values, &field(path)?) {
            None | Some(Value::Null) => {}
            Some(value) => {
                *value =
                    scaled(value, *by).ok_or_else(|| MigrationError::NotANumber(path.clone()))?;
            }
        },
    }
    Ok(())
}

fn field(path: &str) -> Result<Vec<String>, MigrationError> {
    pointer::split(path)
        .filter(|path| !path.is_empty())
        .ok_or_else(|| MigrationError::NotAField(path.to_owned()))
}

fn find<'a>(values: &'a mut Map<String, Value>, path: &[String]) -> Option<&'a mut Value> {
    let (last, way) = path.split_last()?;
    let mut at = values;
    for key in way {
        at = at.get_mut(key)?.as_object_mut()?;
    }
    at.get_mut(last)
}

fn remove(values: &mut Map<String, Value>, path: &[String]) -> Option<Value> {
    match path.split_last()? {
        (last, []) => values.remove(last),
        (last, way) => find(values, way)?.as_object_mut()?.remove(last),
    }
}

/// `None` where something on the way is no object.
fn put(values: &mut Map<String, Value>, path: &[String], value: Value) -> Option<()> {
    let (last, way) = path.split_last()?;
    let mut at = values;
    for key in way {
        let next = at.entry(key.as_str()).or_insert_with(|| Map::new().into());
        at = next.as_object_mut()?;
    }
    at.insert(last.clone(), value);
    Some(())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number stays one where that is exact.
fn scaled(value: &Value, by: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let product = value.as_f64()? * by;
    if product.fract() == 0.0 && product.abs() < EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        return Some(Value::from(product as i64));
    }
    Number::from_f64(product).map(Value::Number)
}
