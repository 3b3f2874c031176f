use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// A button of the device, and what it does when somebody holds it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected {\"input\": DEVICE, \"key\": CODE, \"action\": \
                 \"reset-configuration\" | \"decommission\"} or {\"gpio\": CHIP, \"line\": NUMBER, \
                 \"action\": …}, either with \"hold_s\" where it is not 10"
)]
pub enum Button {
    /// A key of an input device.
    Key(InputKey),
    /// A GPIO line.
    Line(GpioLine),
}

/// `{"input": "/dev/input/event0", "key": "KEY_RESTART", "action": "reset-configuration"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputKey {
    /// The input device.
    pub input: PathBuf,
    /// The code of the key, as the kernel's `input-event-codes.h` has it: its number, or one of the
    /// names that buttons usually have.
    #[serde(deserialize_with = "key_code")]
    pub key: u16,
    /// Seconds that it must be held.
    #[serde(default = "usual_hold")]
    pub hold_s: u32,
    /// What it does.
    pub action: ButtonAction,
}

/// `{"gpio": "/dev/gpiochip0", "line": 17, "active_low": true, "action": "decommission"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioLine {
    /// The GPIO chip.
    pub gpio: PathBuf,
    /// The line's number on that chip.
    pub line: u32,
    /// Whether the line is low while the button is held.
    #[serde(default)]
    pub active_low: bool,
    /// Seconds that it must be held.
    #[serde(default = "usual_hold")]
    pub hold_s: u32,
    /// What it does.
    pub action: ButtonAction,
}

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonAction {
    /// Goes back to the defaults of the configuration schema.
    ResetConfiguration,
    /// Wipes the device.
    Decommission,
}

impl Button {
    /// The least that a button must be held: it must not happen in passing.
    pub const LEAST_HOLD_S: u32 = 2;
    /// The most that anybody is asked to hold one.
    pub const MOST_HOLD_S: u32 = 120;

    /// How long it must be held.
    #[must_use]
    pub fn hold(&self) -> Duration {
        Duration::from_secs(u64::from(self.hold_s()))
    }

    /// What it does.
    #[must_use]
    pub fn action(&self) -> ButtonAction {
        match self {
            Self::Key(key) => key.action,
            Self::Line(line) => line.action,
        }
    }

    /// What is wrong with it, in words; `None` when nothing is.
    pub(super) fn fault(&self) -> Option<String> {
        let (field, path) = match self {
            Self::Key(key) => ("input", &key.input),
            Self::Line(line) => ("gpio", &line.gpio),
        };
        if !path.is_absolute() {
            return Some(format!("`{field}` is no absolute path"));
        }
        let (least, most) = (Self::LEAST_HOLD_S, Self::MOST_HOLD_S);
        (!(least..=most).contains(&self.hold_s()))
            .then(|| format!("give `hold_s` from {least} to {most} seconds"))
    }

    fn hold_s(&self) -> u32 {
        match self {
            Self::Key(key) => key.hold_s,
            Self::Line(line) => line.hold_s,
        }
    }
}

/// The names that the kernel has for the keys that buttons of devices usually are.
const KEYS: [(&str, u16); 14] = [
    ("KEY_ESC", 1),
    ("KEY_ENTER", 28),
    ("KEY_F1", 59),
    ("KEY_POWER", 116),
    ("KEY_SETUP", 141),
    ("KEY_PROG1", 148),
    ("KEY_CONFIG", 171),
    ("KEY_RFKILL", 247),
    ("BTN_0", 256),
    ("BTN_1", 257),
    ("BTN_2", 258),
    ("KEY_VENDOR", 360),
    ("KEY_RESTART", 408),
    ("KEY_WPS_BUTTON", 529),
];

const fn usual_hold() -> u32 {
    10
}

fn key_code<'de, D: Deserializer<'de>>(input: D) -> Result<u16, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the code of a key, or its name")]
    enum Code {
        Number(u16),
        Name(String),
    }
    match Code::deserialize(input)? {
        Code::Number(code) => Ok(code),
        Code::Name(name) => KEYS
            .iter()
            .find_map(|(known, code)| (*known == name).then_some(*code))
            .ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "{name:?} is not among the keys known by name; give its number, as `evtest` \
                     shows it"
                ))
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Button, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_key_is_known_by_number_and_by_name() {
        for key in ["408", "\"KEY_RESTART\""] {
            let button = read(&format!(
                r#"{{"input":"/dev/input/event0","key":{key},"action":"decommission"}}"#
            ));
            let Button::Key(key) = button.unwrap() else {
                panic!("a key");
            };
            assert_eq!((key.key, key.hold_s), (408, 10));
        }
    }

    #[test]
    fn what_is_half_a_button_or_held_in_passing_is_refused() {
        for bad in [
            r#"{"input":"/dev/input/event0","action":"decommission"}"#,
            r#"{"gpio":"/dev/gpiochip0","line":1,"key":3,"action":"decommission"}"#,
            r#"{"input":"/dev/input/event0","key":"KEY_NONESUCH","action":"decommission"}"#,
            r#"{"gpio":"/dev/gpiochip0","line":1,"action":"explode"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let line = |hold| {
            let text = format!(
                r#"{{"gpio":"/dev/gpiochip0","line":1,"hold_s":{hold},"action":"decommission"}}"#
            );
            read(&text).unwrap().fault()
        };
        assert!(line(0).is_some() && line(1).is_some() && line(1000).is_some());
        assert_eq!(line(5), None);
        let relative = r#"{"gpio":"gpiochip0","line":1,"action":"decommission"}"#;
        assert!(read(relative).unwrap().fault().is_some());
    }
}
