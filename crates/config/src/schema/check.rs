use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::Schema;
use super::node::{Node, Type};
use super::same::{all_differ, same};
use crate::Violation;
use crate::pointer::join;

/// The most that is said about one configuration.
const MAX_VIOLATIONS: usize = 100;

/// How much of a configuration there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Some fields; what is missing comes from below, and `null` says so.
    Layer,
}

impl Schema {
    /// Checks a whole configuration, after merging: the subset.
    ///
    /// # Errors
    /// What is wrong, at most 100 things.
    pub fn check(&self, values: &Map<String, Value>) -> Result<(), Vec<Violation>> {
        let mut found = Found::default();
        self.root()
            .walk_object(values, "", Extent::Whole, &mut found);
        found.end()
    }

    /// Checks a layer: no unknown field, and each value fits by itself. `null` is lawful everywhere.
    ///
    /// # Errors
    /// What is wrong, at most 100 things.
    pub fn check_layer(&self, values: &Map<String, Value>) -> Result<(), Vec<Violation>> {
        let mut found = Found::default();
        self.root()
            .walk_object(values, "", Extent::Layer, &mut found);
        found.end()
    }
}

#[derive(Default)]
struct Found {
    violations: Vec<Violation>,
    /// The secret that is being looked into: nothing is told of what is inside.
    secret: Option<String>,
}

impl Found {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        if self.violations.len() >= MAX_VIOLATIONS {
            return;
        }
        let violation = match &self.secret {
            Some(secret) if secret != pointer => Violation {
                pointer: secret.clone(),
                message: "holds something that the schema refuses".into(),
            },
            _ => Violation {
                pointer: pointer.to_owned(),
                message: message.into(),
            },
        };
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    fn end(self) -> Result<(), Vec<Violation>> {
        match self.violations.is_empty() {
            true => Ok(()),
            false => Err(self.violations),
        }
    }
}

impl Node {
    pub(super) fn check(
        &self,
        value: &Value,
        pointer: &str,
        extent: Extent,
    ) -> Result<(), Vec<Violation>> {
        let mut found = Found::default();
        self.walk(value, pointer, extent, &mut found);
        found.end()
    }

    fn walk(&self, value: &Value, pointer: &str, extent: Extent, found: &mut Found) {
        if self.anything {
            return;
        }
        let is_outermost_secret = self.secret && found.secret.is_none();
        if is_outermost_secret {
            found.secret = Some(pointer.to_owned());
        }
        self.walk_value(value, pointer, extent, found);
        if is_outermost_secret {
            found.secret = None;
        }
    }

    fn walk_value(&self, value: &Value, pointer: &str, extent: Extent, found: &mut Found) {
        if !self.types.is_empty() && !self.types.iter().any(|one| one.takes(value)) {
            found.add(pointer, format!("must be {}", either(&self.types)));
            return;
        }
        // An object of a layer is a part of one; whether the whole is allowed shows after merging.
        let is_part = extent == Extent::Layer && value.is_object();
        if let Some(allowed) = &self.allowed
            && !is_part
            && !allowed.iter().any(|one| same(one, value))
        {
            found.add(pointer, "must be one of the values that the schema lists");
        }
        match value {
            Value::Number(number) => self.walk_number(number, pointer, found),
            Value::String(text) => self.walk_text(text, pointer, found),
            Value::Array(items) => self.walk_list(items, pointer, found),
            Value::Object(fields) => self.walk_object(fields, pointer, extent, found),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn walk_object(
        &self,
        fields: &Map<String, Value>,
        pointer: &str,
        extent: Extent,
        found: &mut Found,
    ) {
        for (key, value) in fields {
            let inner = join(pointer, key);
            match self.member(key) {
                None => found.add(&inner, "is not in the schema"),
                Some(_) if extent == Extent::Layer && value.is_null() => {}
                Some(node) => node.walk(value, &inner, extent, found),
            }
        }
        if extent == Extent::Whole {
            for key in self
                .required
                .iter()
                .filter(|key| !fields.contains_key(*key))
            {
                found.add(pointer, format!("must have the field `{key}`"));
            }
        }
    }

    fn walk_number(&self, number: &Number, pointer: &str, found: &mut Found) {
        let bounds = &self.bounds;
        let mut hold = |bound: &Option<Number>, good: &[Ordering], words: &str| {
            if let Some(bound) = bound
                && !compare(number, bound).is_some_and(|order| good.contains(&order))
            {
                found.add(pointer, format!("must be {words} {bound}"));
            }
        };
        use Ordering::{Equal, Greater, Less};
        hold(&bounds.minimum, &[Equal, Greater], "at least");
        hold(&bounds.maximum, &[Equal, Less], "at most");
        hold(&bounds.exclusive_minimum, &[Greater], "more than");
        hold(&bounds.exclusive_maximum, &[Less], "less than");
        if let (Some(step), Some(whole)) = (self.multiple_of, whole(number))
            && whole % step != 0
        {
            found.add(pointer, format!("must be a multiple of {step}"));
        }
    }

    fn walk_text(&self, text: &str, pointer: &str, found: &mut Found) {
        let (min, max) = (self.bounds.min_length, self.bounds.max_length);
        if min.is_none() && max.is_none() {
            return;
        }
        let len = text.chars().count() as u64;
        if let Some(min) = min.filter(|min| len < *min) {
            found.add(pointer, format!("must have at least {min} characters"));
        }
        if let Some(max) = max.filter(|max| len > *max) {
            found.add(pointer, format!("must have at most {max} characters"));
        }
    }

    /// Lists are replaced as a whole, so what is in them is whole.
    fn walk_list(&self, items: &[Value], pointer: &str, found: &mut Found) {
        let len = items.len() as u64;
        if let Some(min) = self.bounds.min_items.filter(|min| len < *min) {
            found.add(pointer, format!("must have at least {min} items"));
        }
        if let Some(max) = self.bounds.max_items.filter(|max| len > *max) {
            found.add(pointer, format!("must have at most {max} items"));
        }
        if self.unique && !all_differ(items) {
            found.add(pointer, "must not have the same item twice");
        }
        if let Some(node) = &self.items {
            for (index, item) in items.iter().enumerate() {
                let inner = format!("{pointer}/{index}");
                node.walk(item, &inner, Extent::Whole, found);
            }
        }
    }
}

fn either(types: &[Type]) -> String {
    let words: Vec<&str> = types.iter().map(|one| one.with_article()).collect();
    words.join(" or ")
}

fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

fn whole(number: &Number) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    integer(number).or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i128)
    })
}
