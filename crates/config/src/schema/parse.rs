use serde_json::{Map, Number, Value};

use super::check::Extent;
use super::keyword::{self, Keyword};
use super::node::{Bounds, Node, Type};
use super::reference::{may_hold_secret, resolve};
use super::{Schema, SchemaError};
use crate::pointer::join;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

type Parsed<T> = Result<T, SchemaError>;

/// Reads the schema of a whole configuration.
pub(super) fn root(document: &Value) -> Parsed<Node> {
    let refused = |pointer: &str, message: String| Err(SchemaError::new(pointer, message));
    let Some(fields) = document.as_object() else {
        return refused("", "write an object".into());
    };
    if len_of(document) > Schema::MAX_LEN {
        let most = Schema::MAX_LEN / 1024;
        return refused("", format!("is longer than {most} KiB; shorten it"));
    }
    match fields.get("$schema") {
        None => {}
        Some(Value::String(dialect)) if dialect.trim_end_matches('#') == DIALECT => {}
        Some(_) => return refused("/$schema", format!("write \"{DIALECT}\", or leave it out")),
    }
    let mut parser = Parser {
        document,
        fields: 0,
    };
    let node = parser.node(document, "", 0)?;
    if node.types != [Type::Object] {
        return refused(
            "/type",
            "a configuration is an object; write \"object\"".into(),
        );
    }
    if node.secret {
        return refused(
            "/writeOnly",
            "mark the fields that are secret, not all of them".into(),
        );
    }
    complete(&node, "")?;
    Ok(node)
}

/// Every field that is no group of fields must have a default.
fn complete(node: &Node, pointer: &str) -> Parsed<()> {
    for (key, field) in &node.fields {
        let pointer = join(&format!("{pointer}/properties"), key);
        if !field.fields.is_empty() {
            complete(field, &pointer)?;
        } else if field.default.is_none() {
            let message = "has no default; write `default` with a value that devices can run on";
            return Err(SchemaError::new(&pointer, message));
        }
    }
    Ok(())
}

struct Parser<'a> {
    document: &'a Value,
    /// How many were read.
    fields: usize,
}

impl<'a> Parser<'a> {
    fn node(&mut self, schema: &'a Value, pointer: &str, depth: usize) -> Parsed<Node> {
        let refused = |message: String| Err(SchemaError::new(pointer, message));
        if depth > Schema::MAX_DEPTH {
            return refused(format!(
                "goes deeper than {}, or in circles",
                Schema::MAX_DEPTH
            ));
        }
        self.fields += 1;
        if self.fields > Schema::MAX_FIELDS {
            return refused(format!("is one more than {} fields", Schema::MAX_FIELDS));
        }
        let Some(keywords) = schema.as_object() else {
            return refused("write an object that describes the value".into());
        };
        let mut node = match keywords.get("$ref") {
            Some(reference) => self.referenced(keywords, reference, pointer, depth)?,
            None => self.described(keywords, pointer, depth)?,
        };
        match keywords.get("writeOnly") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => node.secret = true,
            Some(_) => return at(pointer, "writeOnly", "write true or false"),
        }
        if let Some(default) = keywords.get("default") {
            self.take_default(&mut node, default, pointer)?;
        }
        Ok(node)
    }

    fn take_default(&self, node: &mut Node, default: &Value, pointer: &str) -> Parsed<()> {
        if !node.fields.is_empty() {
            return match default.as_object() {
                Some(fields) if fields.is_empty() => Ok(()),
                _ => at(
                    pointer,
                    "default",
                    "give each field a default of its own instead",
                ),
            };
        }
        if let Err(violations) = node.check(default, "", Extent::Whole) {
            let why = violations.first().map_or("", |first| &first.message);
            let place = violations.first().map_or("", |first| &first.pointer);
            let message = format!("the schema refuses it itself: {place} {why}");
            return at(pointer, "default", message.replace(":  ", ": "));
        }
        node.default = Some(default.clone());
        Ok(())
    }

    fn referenced(
        &mut self,
        keywords: &'a Map<String, Value>,
        reference: &Value,
        pointer: &str,
        depth: usize,
    ) -> Parsed<Node> {
        if let Some(other) = keywords
            .keys()
            .find(|key| !keyword::may_stand_beside_ref(key))
        {
            let message = "can't stand beside `$ref`; write it in the part that is referred to";
            return at(pointer, other, message);
        }
        let part = resolve(self.document, reference, &join(pointer, "$ref"))?;
        let mut node = self.node(part, pointer, depth + 1)?;
        if keywords.contains_key("default") {
            node.default = None;
        }
        Ok(node)
    }

    fn described(
        &mut self,
        keywords: &'a Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) -> Parsed<Node> {
        let mut node = Node::default();
        for (key, value) in keywords {
            match keyword::look_up(key) {
                Some(Keyword::Checked) => self.take(&mut node, key, value, pointer, depth)?,
                Some(Keyword::Annotation) => {}
                Some(Keyword::Full) => {
                    if key != "pattern" && may_hold_secret(self.document, value) {
                        let message = "may hold `writeOnly`; mark secrets in `properties`, \
                                       where every device sees it";
                        return at(pointer, key, message);
                    }
                }
                Some(Keyword::Refused(instead)) => {
                    return at(pointer, key, format!("is not taken here; {instead}"));
                }
                None => {
                    let message = "is no keyword of JSON Schema 2020-12; \
                                   mend the spelling, or begin a word of your own with `x-`";
                    return at(pointer, key, message);
                }
            }
        }
        Ok(node)
    }

    fn take(
        &mut self,
        node: &mut Node,
        key: &str,
        value: &'a Value,
        pointer: &str,
        depth: usize,
    ) -> Parsed<()> {
        let place = join(pointer, key);
        match key {
            "type" => node.types = types(value, &place)?,
            "properties" => {
                let Some(fields) = value.as_object() else {
                    return Err(SchemaError::new(&place, "write an object"));
                };
                for (name, field) in fields {
                    let field = self.node(field, &join(&place, name), depth + 1)?;
                    node.fields.insert(name.clone(), field);
                }
            }
            "additionalProperties" => {
                node.other = match value {
                    Value::Bool(false) => None,
                    Value::Bool(true) => Some(Box::new(Node::anything())),
                    schema => Some(Box::new(self.node(schema, &place, depth + 1)?)),
                }
            }
            "items" => {
                node.items = match value {
                    Value::Bool(true) => None,
                    schema => Some(Box::new(self.node(schema, &place, depth + 1)?)),
                }
            }
            "required" => node.required = names(value, &place)?,
            "enum" => match value.as_array() {
                Some(values) if !values.is_empty() => node.allow(values.clone()),
                _ => return Err(SchemaError::new(&place, "write a list of values")),
            },
            "const" => node.allow(vec![value.clone()]),
            "uniqueItems" => match value.as_bool() {
                Some(unique) => node.unique = unique,
                None => return Err(SchemaError::new(&place, "write true or false")),
            },
            "multipleOf" => node.multiple_of = multiple(value, &place)?,
            "$ref" | "default" | "writeOnly" => {}
            bound => node.bounds.take(bound, value, &place)?,
        }
        Ok(())
    }
}

impl Node {
    /// `enum` and `const` both narrow.
    fn allow(&mut self, values: Vec<Value>) {
        self.allowed = Some(match self.allowed.take() {
            None => values,
            Some(before) => before
                .into_iter()
                .filter(|one| values.iter().any(|other| super::same::same(one, other)))
                .collect(),
        });
    }
}

impl Bounds {
    fn take(&mut self, key: &str, value: &Value, place: &str) -> Parsed<()> {
        match key {
            "minimum" => self.minimum = number(value, place)?,
            "maximum" => self.maximum = number(value, place)?,
            "exclusiveMinimum" => self.exclusive_minimum = number(value, place)?,
            "exclusiveMaximum" => self.exclusive_maximum = number(value, place)?,
            "minLength" => self.min_length = count(value, place)?,
            "maxLength" => self.max_length = count(value, place)?,
            "minItems" => self.min_items = count(value, place)?,
            _ => self.max_items = count(value, place)?,
        }
        Ok(())
    }
}

fn at<T>(pointer: &str, key: &str, message: impl Into<String>) -> Parsed<T> {
    Err(SchemaError::new(&join(pointer, key), message))
}

fn types(value: &Value, place: &str) -> Parsed<Vec<Type>> {
    let one = |value: &Value| value.as_str().and_then(Type::parse);
    let types = match value {
        Value::Array(all) if !all.is_empty() => all.iter().map(one).collect(),
        value => one(value).map(|one| vec![one]),
    };
    types.ok_or_else(|| {
        let message = "write boolean, integer, number, string, array, object or null";
        SchemaError::new(place, message)
    })
}

fn names(value: &Value, place: &str) -> Parsed<Vec<String>> {
    let names = value.as_array().and_then(|all| {
        all.iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    names.ok_or_else(|| SchemaError::new(place, "write a list of names"))
}

fn number(value: &Value, place: &str) -> Parsed<Option<Number>> {
    match value {
        Value::Number(number) => Ok(Some(number.clone())),
        _ => Err(SchemaError::new(place, "write a number")),
    }
}

fn count(value: &Value, place: &str) -> Parsed<Option<u64>> {
    match value.as_u64() {
        Some(count) => Ok(Some(count)),
        None => Err(SchemaError::new(place, "write a whole number, 0 or more")),
    }
}

/// Fractions are for the full check.
fn multiple(value: &Value, place: &str) -> Parsed<Option<i128>> {
    let is_positive = value.as_f64().is_some_and(|number| number > 0.0);
    if !is_positive {
        return Err(SchemaError::new(place, "write a number above 0"));
    }
    Ok(value.as_u64().map(i128::from))
}

/// The length as compact JSON, in bytes.
fn len_of(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}
