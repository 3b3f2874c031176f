use serde::{Deserialize, Serialize};

/// Commands to run when something has happened. They come from the local file alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// After a new certificate is in place.
    #[serde(default)]
    pub after_renew: Vec<HookCommand>,
    /// Before a wipe erases anything. They may run again when the power goes.
    #[serde(default)]
    pub before_wipe: Vec<HookCommand>,
    /// How many seconds each of those may take; 60 when absent.
    #[serde(default)]
    pub before_wipe_timeout_s: Option<u64>,
    /// Asked about each new configuration: it stays in force if this ends well in its time.
    #[serde(default)]
    pub configuration_check: Option<HookCommand>,
    /// How many seconds that may take; 30 when absent.
    #[serde(default)]
    pub configuration_timeout_s: Option<u64>,
}

/// One command: a line for the shell, or a program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a command line as text, or a list of program and arguments"
)]
pub enum HookCommand {
    /// Given to `/bin/sh -c`.
    Line(String),
    /// Started as it is.
    Program(Vec<String>),
}
