//! What a hook answers: a stranger's bytes, however well the stranger is known.

use std::collections::BTreeMap;

use enlist_core::{Labels, Name};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::devices::check_labels;
use crate::poll::words;

/// The most bytes of an answer.
pub(crate) const MOST_BYTES: usize = 320 * 1024;
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 200;

/// What a hook has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct HookAnswer {
    /// Whether the device may come in.
    pub allow: bool,
    /// Why, or why not: short, and fit to be shown.
    pub reason: Option<String>,
    /// Whether a device that is refused is told the reason.
    pub tell: bool,
    /// The name of the group that it goes to.
    pub group: Option<Name>,
    /// What it is to be called.
    pub name: Option<Name>,
    /// Its labels: added to those it has, in place of those with the same key.
    pub labels: Labels,
    /// Configuration of its own.
    pub configuration: Option<Map<String, Value>>,
}

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHookAnswer(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    allow: bool,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    tell: bool,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    configuration: Option<Map<String, Value>>,
}

impl HookAnswer {
    /// Reads an answer. What is not known, or out of bounds, makes all of it void: a hook that means
    /// something else than what was understood has not said yes.
    ///
    /// # Errors
    /// Says what is wrong, for the operator of the hook.
    pub fn read(bytes: &[u8]) -> Result<Self, BadHookAnswer> {
        if bytes.len() > MOST_BYTES {
            return Err(BadHookAnswer(format!(
                "it is longer than {MOST_BYTES} bytes"
            )));
        }
        // A list would be read as the fields in their order, without their names.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(BadHookAnswer("it is no JSON object".to_owned()));
        }
        let answer: Answer = serde_json::from_slice(bytes).map_err(|error| {
            let why = words(&error.to_string(), LONGEST_REASON);
            BadHookAnswer(format!("it does not read: {why}"))
        })?;
        let labels = answer.labels.unwrap_or_default();
        check_labels(&labels).map_err(|error| BadHookAnswer(error.to_string()))?;
        Ok(Self {
            allow: answer.allow,
            reason: answer
                .reason
                .map(|reason| words(reason.trim(), LONGEST_REASON))
                .filter(|reason| !reason.is_empty()),
            tell: answer.tell,
            group: name("group", answer.group)?,
            name: name("name", answer.name)?,
            labels,
            configuration: answer.configuration,
        })
    }
}

fn name(what: &str, text: Option<String>) -> Result<Option<Name>, BadHookAnswer> {
    let Some(text) = text else { return Ok(None) };
    let bad = |error| BadHookAnswer(format!("{what}: {error}"));
    text.parse().map(Some).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HookAnswer, BadHookAnswer> {
        HookAnswer::read(text.as_bytes())
    }

    #[test]
    fn a_yes_is_all_it_takes_and_everything_can_be_said() {
        let plain = read(r#"{"allow":true}"#).unwrap();
        assert!(plain.allow && plain.group.is_none() && plain.labels.is_empty());
        let full = read(
            r#"{"allow":true,"reason":" fits\n","group":"line-4","name":"press-7",
                "labels":{"region":"north"},"configuration":{"rate":3}}"#,
        )
        .unwrap();
        assert_eq!(full.reason.as_deref(), Some("fits"));
        assert_eq!(full.name.unwrap().as_str(), "press-7");
        assert_eq!(full.labels["region"], "north");
        assert_eq!(full.configuration.unwrap()["rate"], 3);
    }

    #[test]
    fn what_is_not_understood_is_no_yes() {
        let many: Vec<_> = (0..33).map(|at| format!("\"k{at}\":\"v\"")).collect();
        let many = format!("{{\"allow\":true,\"labels\":{{{}}}}}", many.join(","));
        for text in [
            "",
            "true",
            "[]",
            "[true]",
            r#"[true,null,false,"line-4"]"#,
            "{}",
            r#"{"allow":"true"}"#,
            r#"{"allow":1}"#,
            r#"{"allow":null}"#,
            r#"{"allow":true,"allow":false}"#,
            r#"{"allow":true,"alow":false}"#,
            r#"{"allow":true} x"#,
            r#"{"allow":true,"group":"No Name"}"#,
            r#"{"allow":true,"name":""}"#,
            r#"{"allow":true,"name":"../x"}"#,
            r#"{"allow":true,"labels":{"":"x"}}"#,
            r#"{"allow":true,"labels":{"a":1}}"#,
            r#"{"allow":true,"labels":{"a":"\u0007"}}"#,
            r#"{"allow":true,"configuration":[]}"#,
            many.as_str(),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!(
            "{{\"allow\":true,\"configuration\":{}",
            "{\"a\":".repeat(5000)
        );
        assert!(read(&deep).is_err());
    }

    #[test]
    fn a_reason_is_one_bounded_line() {
        let long = format!(r#"{{"allow":false,"reason":"{}"}}"#, "é".repeat(5000));
        assert_eq!(read(&long).unwrap().reason.unwrap().chars().count(), 200);
        let steering = read(r#"{"allow":false,"reason":"a\u001b[2Jb"}"#).unwrap();
        assert_eq!(steering.reason.as_deref(), Some("a [2Jb"));
    }
}
