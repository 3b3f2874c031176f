use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

/// What a schema says of one value, as far as the subset goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Empty where any type will do.
    pub(super) types: Vec<Type>,
    pub(super) fields: BTreeMap<String, Node>,
    /// What other fields must be; `None` where there may be none.
    pub(super) other: Option<Box<Node>>,
    /// What the items of a list must be; `None` where nothing is said of them.
    pub(crate) items: Option<Box<Node>>,
    pub(super) required: Vec<String>,
    pub(super) allowed: Option<Vec<Value>>,
    pub(super) bounds: Bounds,
    pub(super) multiple_of: Option<i128>,
    pub(super) unique: bool,
    pub(super) default: Option<Value>,
    /// Whether the value, with all that is in it, is a secret.
    pub(crate) secret: bool,
    /// Nothing is said of the value, at any depth.
    pub(super) anything: bool,
}

/// Least and most of numbers, characters and items.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
    pub(super) exclusive_minimum: Option<Number>,
    pub(super) exclusive_maximum: Option<Number>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
}

/// The types of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    List,
    Object,
}

impl Node {
    /// Takes anything.
    pub(super) fn anything() -> Self {
        Self {
            anything: true,
            ..Self::default()
        }
    }

    /// What is said of the field `key` of this value; `None` where it may not be there.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        if self.anything {
            return Some(self);
        }
        self.fields.get(key).or(self.other.as_deref())
    }

    /// Whether a secret is somewhere in this value.
    pub(crate) fn holds_secret(&self) -> bool {
        let other = self.other.iter().chain(&self.items).map(Box::as_ref);
        self.secret || self.fields.values().chain(other).any(Self::holds_secret)
    }

    /// The value where none is given: that of the schema, or of the fields.
    pub(super) fn default_value(&self) -> Option<Value> {
        if self.fields.is_empty() {
            return self.default.clone();
        }
        let fields = self
            .fields
            .iter()
            .filter_map(|(key, node)| Some((key.clone(), node.default_value()?)));
        Some(Value::Object(fields.collect::<Map<_, _>>()))
    }
}

impl Type {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::Text,
            "array" => Self::List,
            "object" => Self::Object,
            _ => return None,
        })
    }

    pub(super) fn takes(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            // 1.0 is an integer (JSON Schema validation, section 6.1.1).
            Self::Integer => {
                value.is_i64()
                    || value.is_u64()
                    || value.as_f64().is_some_and(|float| float.fract() == 0.0)
            }
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    pub(super) const fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "an array",
            Self::Object => "an object",
        }
    }
}
