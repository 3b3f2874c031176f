//! The command line as a table: what there is stands there once, and is read, explained and, for manual
//! pages and completions, described to clap from there.
//!
//! The agent does not carry clap, which would be a twentieth of its size on a small device.

#[cfg(feature = "clap")]
mod describe;
mod given;
mod help;
mod read;

#[cfg(feature = "clap")]
pub(super) use describe::describe;
pub(super) use given::Given;
pub(super) use read::{Answer, read};

/// A command: with options, or with commands of its own.
#[derive(Debug)]
pub(super) struct Command {
    /// What it is called by.
    pub(super) name: &'static str,
    /// What it does, in a line.
    pub(super) about: &'static str,
    /// What stands below its help.
    pub(super) after: &'static str,
    /// What it takes.
    pub(super) options: &'static [Flag],
    /// What it has below it; one of them has to be named.
    pub(super) commands: &'static [Command],
}

/// An option.
#[derive(Debug)]
pub(super) struct Flag {
    /// Its long name, without the dashes.
    pub(super) name: &'static str,
    /// Its short name, without the dash.
    pub(super) short: Option<char>,
    /// What has to follow.
    pub(super) takes: Takes,
    /// What it is for.
    pub(super) help: &'static str,
}

/// What follows an option.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// Nothing: it is given or not.
    Nothing,
    /// Anything, called so in the help.
    Text {
        what: &'static str,
        default: Option<&'static str>,
    },
    /// A whole number, called so in the help.
    Number {
        what: &'static str,
        default: &'static str,
    },
    /// One of these words, each with what it is for; the first one, where the option is not given.
    OneOf(&'static [(&'static str, &'static str)]),
}

impl Takes {
    /// What the help calls it.
    fn what(self, name: &str) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Text { what, .. } | Self::Number { what, .. } => Some(what.to_owned()),
            Self::OneOf(_) => Some(name.to_uppercase()),
        }
    }

    /// What counts where the option is not given.
    fn default(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Text { default, .. } => default,
            Self::Number { default, .. } => Some(default),
            Self::OneOf(words) => words.first().map(|(word, _)| *word),
        }
    }
}
