use serde::{Deserialize, Serialize};

/// Commands to run when something has happened. They come from the local file alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// After a new certificate is in place.
    #[serde(default)]
    pub after_renew: Vec<HookCommand>,
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
