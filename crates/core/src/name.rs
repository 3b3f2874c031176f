//! Names of tenants, groups and devices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Lowercase ASCII letters and digits, words separated by single dashes, 1 to 63
/// characters: what fits a DNS label, a file name and a shell word alike.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A name outside the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a valid name: use lowercase letters, digits and single dashes between them, 1 to 63 characters{}",
    shown(given),
    nearest.as_ref().map_or_else(String::new, |name| format!("; `{name}` would do"))
)]
pub struct InvalidName {
    given: String,
    nearest: Option<Name>,
}

impl InvalidName {
    /// The nearest valid name, where one is left after mapping.
    pub fn nearest(&self) -> Option<&Name> {
        self.nearest.as_ref()
    }
}

/// A hostile name must not flood a log or steer a terminal.
fn shown(given: &str) -> String {
    given
        .chars()
        .take(80)
        .flat_map(char::escape_debug)
        .collect()
}

impl Name {
    /// The longest name, in characters.
    pub const MAX: usize = 63;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest valid name: other characters become dashes, runs of dashes one,
    /// capitals small. `None` where nothing is left.
    pub fn nearest(given: &str) -> Option<Self> {
        let mut name = String::new();
        for c in given.chars() {
            if c.is_ascii_alphanumeric() {
                name.push(c.to_ascii_lowercase());
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
            if name.len() == Self::MAX {
                break;
            }
        }
        let name = name.trim_end_matches('-');
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    fn is_valid(text: &str) -> bool {
        (1..=Self::MAX).contains(&text.len())
            && text.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            })
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        if Self::is_valid(&text) {
            return Ok(Self(text));
        }
        let nearest = Self::nearest(&text);
        Err(InvalidName {
            given: text,
            nearest,
        })
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rule_holds() {
        for good in ["a", "0", "room2-lights", "test-device-123", &"a".repeat(63)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a.b",
            "a b",
            "ä",
            "a\0",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refused_name_comes_with_the_nearest_valid_one() {
        let refused = "my_device_name".parse::<Name>().unwrap_err();
        assert_eq!(refused.nearest().unwrap().as_str(), "my-device-name");
        assert!(refused.to_string().contains("`my-device-name` would do"));
        assert_eq!("___".parse::<Name>().unwrap_err().nearest(), None);
    }

    proptest! {
        #[test]
        fn the_nearest_name_is_always_valid(text in "\\PC*") {
            if let Some(name) = Name::nearest(&text) {
                prop_assert!(Name::is_valid(name.as_str()));
            }
        }
    }
}
