use std::ffi::OsString;
use std::path::PathBuf;

use super::Flag;

/// What was given on the command line: a command, and its options.
#[derive(Debug)]
pub(in super::super) struct Given {
    /// The command and the one below it, without the program's name.
    pub(super) commands: Vec<&'static str>,
    pub(super) flags: &'static [Flag],
    pub(super) values: Vec<(&'static str, OsString)>,
}

impl Given {
    /// The command, and the one below it.
    pub(in super::super) fn commands(&self) -> &[&'static str] {
        &self.commands
    }

    /// Whether an option was given that takes nothing.
    pub(in super::super) fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// The path that was given, or the default; empty where there is neither.
    pub(in super::super) fn path(&self, name: &str) -> PathBuf {
        self.maybe_path(name).unwrap_or_default()
    }

    /// The path that was given, or the default.
    pub(in super::super) fn maybe_path(&self, name: &str) -> Option<PathBuf> {
        let default = || self.default(name).map(PathBuf::from);
        self.given(name).map(PathBuf::from).or_else(default)
    }

    /// The words that were given. What is not UTF-8 in them is replaced.
    pub(in super::super) fn text(&self, name: &str) -> Option<String> {
        let default = || self.default(name).map(str::to_owned);
        self.given(name)
            .map(|text| text.to_string_lossy().into_owned())
            .or_else(default)
    }

    /// The number that was given, or the default. Reading has seen to it that it is one.
    pub(in super::super) fn number(&self, name: &str) -> u64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    fn given(&self, name: &str) -> Option<&OsString> {
        let found = self.values.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value)
    }

    fn default(&self, name: &str) -> Option<&'static str> {
        let flag = self.flags.iter().find(|flag| flag.name == name)?;
        flag.takes.default()
    }
}
