#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use enlist_config::Schema;
use serde_json::{Map, Value, json};

/// A schema with everything in it that the subset knows.
pub fn press() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "interval_s": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
            "mode": {"enum": ["fast", "slow", 3], "default": "slow"},
            "broker": {
                "type": "object",
                "properties": {
                    "host": {"type": "string", "minLength": 1, "maxLength": 20, "default": "localhost"},
                    "port": {"$ref": "#/$defs/port", "default": 8883},
                    "password": {"type": "string", "maxLength": 12, "default": "", "writeOnly": true}
                }
            },
            "topics": {
                "type": "array", "maxItems": 3, "uniqueItems": true,
                "items": {"type": "string"}, "default": ["press"]
            },
            "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.5},
            "step": {"type": "integer", "multipleOf": 5, "default": 10},
            "zones": {
                "type": "object", "default": {},
                "additionalProperties": {
                    "type": "object",
                    "required": ["gain"],
                    "properties": {"gain": {"type": "number"}, "note": {"type": ["string", "null"]}}
                }
            },
            "keys": {
                "type": "object", "default": {}, "writeOnly": true,
                "additionalProperties": {"type": "string"}
            }
        },
        "$defs": {"port": {"type": "integer", "minimum": 1, "maximum": 65535}}
    })
}

pub fn schema() -> Schema {
    Schema::parse(&press()).unwrap()
}

pub fn map(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}
