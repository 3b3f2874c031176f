//! The keywords of JSON Schema 2020-12, and what becomes of each.

/// What is done about a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// It is in the subset.
    Checked,
    /// It says something to readers.
    Annotation,
    /// The full check alone knows it; it narrows what the subset lets through.
    Full,
    /// It is not taken; what to write in its place.
    Refused(&'static str),
}

/// Looks a keyword up; `None` where JSON Schema has no such keyword.
pub(super) fn look_up(keyword: &str) -> Option<Keyword> {
    Some(match keyword {
        "type"
        | "properties"
        | "required"
        | "enum"
        | "const"
        | "minimum"
        | "maximum"
        | "exclusiveMinimum"
        | "exclusiveMaximum"
        | "multipleOf"
        | "minLength"
        | "maxLength"
        | "items"
        | "minItems"
        | "maxItems"
        | "uniqueItems"
        | "additionalProperties"
        | "default"
        | "writeOnly"
        | "$ref" => Keyword::Checked,
        "title" | "description" | "examples" | "deprecated" | "readOnly" | "format"
        | "$comment" | "$schema" | "$defs" | "contentEncoding" | "contentMediaType" => {
            Keyword::Annotation
        }
        "pattern" | "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "contains"
        | "minContains" | "maxContains" | "minProperties" | "maxProperties" | "propertyNames"
        | "dependentRequired" | "dependentSchemas" => Keyword::Full,
        "patternProperties" => {
            Keyword::Refused("write `additionalProperties` with a schema, and `propertyNames`")
        }
        "prefixItems" | "unevaluatedItems" => Keyword::Refused("write `items`"),
        "unevaluatedProperties" => {
            Keyword::Refused("leave it out: fields that are not declared are refused anyway")
        }
        "$id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$vocabulary" => {
            Keyword::Refused("write `$ref` with `#/$defs/…`")
        }
        "contentSchema" => Keyword::Refused("leave it out"),
        other if other.starts_with("x-") => Keyword::Annotation,
        _ => return None,
    })
}

/// Whether a keyword may stand beside `$ref`.
pub(super) fn may_stand_beside_ref(keyword: &str) -> bool {
    matches!(keyword, "$ref" | "default" | "writeOnly")
        || look_up(keyword) == Some(Keyword::Annotation)
}
