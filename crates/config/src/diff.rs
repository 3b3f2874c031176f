use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pointer::join;
use crate::schema::Node;
use crate::{MASK, Schema};

/// One field that differs. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it was; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is; absent where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// In which fields `to` differs from `from`, in the order of their names. Objects are gone into, lists are
/// compared as a whole. A secret that differs is told of, and not what it is.
#[must_use]
pub fn diff(schema: &Schema, from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let differ = Differ {
        schema,
        changes: &mut changes,
    };
    differ.walk(Some(schema.root()), "", Some(from), Some(to));
    changes
}

struct Differ<'a> {
    schema: &'a Schema,
    changes: &'a mut Vec<Change>,
}

impl Differ<'_> {
    fn walk(self, node: Option<&Node>, pointer: &str, from: Option<&Value>, to: Option<&Value>) {
        if from == to {
            return;
        }
        let is_open = node.is_some_and(|node| !node.secret);
        if let (true, Some(Value::Object(before)), Some(Value::Object(after))) = (is_open, from, to)
        {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let inner = Differ {
                    schema: self.schema,
                    changes: &mut *self.changes,
                };
                let member = node.and_then(|node| node.member(key));
                inner.walk(member, &join(pointer, key), before.get(key), after.get(key));
            }
            return;
        }
        let shown = |value: Option<&Value>| {
            value.map(|value| match is_open {
                true => self.schema.mask(value, pointer),
                false => MASK.into(),
            })
        };
        self.changes.push(Change {
            from: shown(from),
            to: shown(to),
            pointer: pointer.to_owned(),
        });
    }
}
