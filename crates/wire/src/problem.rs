use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The media type that a [`Problem`] is sent as.
pub const MEDIA_TYPE: &str = "application/problem+json";

const PREFIX: &str = "urn:enlist:problem:";

/// Why a request was refused (RFC 9457).
///
/// Programs go by the slug, which never changes once published; people read `detail`, a sentence that
/// says what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:enlist:problem:<slug>`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The kind of problem in a few words; the same for every occurrence.
    pub title: String,
    /// The HTTP status it was sent with.
    pub status: u16,
    /// What happened this time, and what to do.
    #[serde(default)]
    pub detail: String,
    /// Names this occurrence, to be found again in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What was probably meant, such as a name that would be lawful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Seconds to wait before asking again, where asking again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Further members that this kind of problem has.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extensions: BTreeMap<String, serde_json::Value>,
}

impl Problem {
    /// A problem with this slug, and nothing beyond the members every problem has.
    #[must_use]
    pub fn new(
        slug: &str,
        status: u16,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            type_: format!("{PREFIX}{slug}"),
            title: title.into(),
            status,
            detail: detail.into(),
            instance: None,
            suggestion: None,
            retry_after_s: None,
            extensions: BTreeMap::new(),
        }
    }

    /// The stable short name of this kind of problem; the whole type where it is none of Enlist's.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.type_.strip_prefix(PREFIX).unwrap_or(&self.type_)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_rfc_9457_says() {
        let mut problem = Problem::new("name-taken", 409, "Name is taken", "Choose another name.");
        problem.suggestion = Some("press-2".into());
        problem.extensions.insert("group".into(), "line-4".into());
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:enlist:problem:name-taken",
                "title": "Name is taken",
                "status": 409,
                "detail": "Choose another name.",
                "suggestion": "press-2",
                "group": "line-4",
            })
        );
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
        assert_eq!(problem.slug(), "name-taken");
    }

    #[test]
    fn a_problem_of_somebody_elses_keeps_its_type() {
        let text = r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(problem.slug(), "about:blank");
        assert_eq!(problem.detail, "");
    }
}
