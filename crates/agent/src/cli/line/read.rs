use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::help::{help, usage};
use super::{Command, Flag, Given, Takes};

/// What to say in place of carrying out a command.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Answer {
    /// What was asked for, for standard output.
    Asked(String),
    /// What is wrong, for standard error.
    Wrong(String),
}

/// Reads the arguments, of which the first is the program's name.
///
/// Options are `--name value`, `--name=value`, `-n value` or `-nvalue`, each once. A value that begins with a
/// dash needs the form with `=`, so that no option is taken for another's value.
pub(in super::super) fn read(
    root: &'static Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Given, Answer> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    let program = program.to_string_lossy();
    let mut at = Place {
        called: program.rsplit('/').next().unwrap_or_default().to_owned(),
        command: root,
        is_root: true,
    };
    let (mut commands, mut values) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        if argument == "--help" || argument == "-h" {
            return Err(at.help());
        }
        if at.is_root && (argument == "--version" || argument == "-V") {
            let version = env!("CARGO_PKG_VERSION");
            return Err(Answer::Asked(format!("{} {version}\n", root.name)));
        }
        if at.command.commands.is_empty() {
            let (flag, value) = at.option(&argument, &mut arguments)?;
            if values.iter().any(|(name, _)| *name == flag.name) {
                return Err(at.wrong(&format!("`--{}` is given twice", flag.name)));
            }
            values.push((flag.name, value));
        } else if argument == "help" {
            for name in arguments {
                at = at.below(&name)?;
            }
            return Err(at.help());
        } else {
            at = at.below(&argument)?;
            commands.push(at.command.name);
        }
    }
    if !at.command.commands.is_empty() {
        return Err(Answer::Wrong(help(at.command, &at.called, at.is_root)));
    }
    Ok(Given {
        commands,
        flags: at.command.options,
        values,
    })
}

/// How far it was read.
struct Place {
    called: String,
    command: &'static Command,
    is_root: bool,
}

impl Place {
    fn help(&self) -> Answer {
        Answer::Asked(help(self.command, &self.called, self.is_root))
    }

    fn wrong(&self, why: &str) -> Answer {
        let (usage, called) = (usage(self.command, &self.called), &self.called);
        let more = format!("For more information, try `{called} --help`.");
        Answer::Wrong(format!("error: {why}\n\n{usage}\n\n{more}\n"))
    }

    fn below(&self, name: &OsStr) -> Result<Self, Answer> {
        let below = self.command.commands;
        let Some(command) = below.iter().find(|command| name == command.name) else {
            let names: Vec<_> = below.iter().map(|command| command.name).collect();
            return Err(self.wrong(&format!(
                "there is no command `{}` here, but: {}",
                name.display(),
                names.join(", ")
            )));
        };
        Ok(Self {
            called: format!("{} {}", self.called, command.name),
            command,
            is_root: false,
        })
    }

    fn option(
        &self,
        argument: &OsStr,
        rest: &mut impl Iterator<Item = OsString>,
    ) -> Result<(&'static Flag, OsString), Answer> {
        let bytes = argument.as_bytes();
        let (flag, value) = match bytes {
            [b'-', b'-', long @ ..] => {
                let mut parts = long.splitn(2, |byte| *byte == b'=');
                let name = parts.next().unwrap_or_default();
                let flag = self.flag(|flag| flag.name.as_bytes() == name);
                (flag, parts.next())
            }
            [b'-', short, value @ ..] => {
                let flag = self.flag(|flag| flag.short == Some(char::from(*short)));
                let value = value.strip_prefix(b"=").unwrap_or(value);
                (flag, (bytes.len() > 2).then_some(value))
            }
            _ => (None, None),
        };
        let Some(flag) = flag else {
            return Err(self.wrong(&format!("unexpected argument `{}`", argument.display())));
        };
        let value = value.map(|value| OsStr::from_bytes(value).to_owned());
        let Some(what) = flag.takes.what(flag.name) else {
            return match value {
                None => Ok((flag, OsString::new())),
                Some(_) => Err(self.wrong(&format!("`--{}` takes no value", flag.name))),
            };
        };
        let next = |rest: &mut dyn Iterator<Item = OsString>| {
            rest.next()
                .filter(|next| next.len() < 2 || !next.as_bytes().starts_with(b"-"))
        };
        match value.or_else(|| next(rest)) {
            Some(value) => self.checked(flag, value),
            None => Err(self.wrong(&format!("`--{} <{what}>` is without its value", flag.name))),
        }
    }

    fn checked(
        &self,
        flag: &'static Flag,
        value: OsString,
    ) -> Result<(&'static Flag, OsString), Answer> {
        let text = value.to_str();
        let wanted = match flag.takes {
            Takes::Number { .. } if text.is_none_or(|text| text.parse::<u64>().is_err()) => {
                "a whole number".to_owned()
            }
            Takes::OneOf(words) if !words.iter().any(|(word, _)| Some(*word) == text) => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                format!("one of: {}", words.join(", "))
            }
            _ => return Ok((flag, value)),
        };
        let (name, value) = (flag.name, value.display());
        Err(self.wrong(&format!("`{value}` won't do for `--{name}`: give {wanted}")))
    }

    fn flag(&self, is: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
        self.command.options.iter().find(|flag| is(flag))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::commands::ROOT;

    fn said(words: &[&str]) -> Result<Given, Answer> {
        let program = ["/usr/bin/enlist-agent"].iter();
        read(&ROOT, program.chain(words).map(OsString::from))
    }

    #[test]
    fn every_form_of_an_option_says_the_same() {
        for form in [
            &["--config", "a=b"][..],
            &["--config=a=b"],
            &["-c", "a=b"],
            &["-ca=b"],
            &["-c=a=b"],
        ] {
            let given = said(&[&["provision", "-ojson", "--wait=7"], form].concat()).unwrap();
            assert_eq!(given.commands(), ["provision"]);
            assert_eq!(given.path("config"), Path::new("a=b"), "{form:?}");
            assert_eq!(given.text("output").as_deref(), Some("json"));
            assert_eq!(given.number("wait"), 7);
        }
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        let given = said(&["config", "reset"]).unwrap();
        assert_eq!(given.commands(), ["config", "reset"]);
        assert_eq!(given.path("config"), Path::new("/etc/enlist/config.json"));
        assert_eq!(given.number("wait"), 60);
        assert!(!given.has("reveal"));
        assert_eq!(said(&["identity"]).unwrap().maybe_path("config"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, named) in [
            (&["provison"][..], "no command `provison`"),
            (&["config", "on"], "no command `on`"),
            (&["status", "now"], "unexpected argument `now`"),
            (&["status", "--wait", "3"], "unexpected argument `--wait`"),
            (&["status", "-c"], "without its value"),
            (&["decommission", "--reason", "--yes"], "without its value"),
            (&["decommission", "--yes=no"], "takes no value"),
            (&["status", "-ca", "--config=b"], "given twice"),
            (&["status", "-o", "yaml"], "one of: text, json"),
            (&["provision", "--wait", "-1"], "without its value"),
            (&["provision", "--wait=-1"], "a whole number"),
            (&["config"], "Commands:"),
            (&[], "Commands:"),
        ] {
            match said(words) {
                Err(Answer::Wrong(text)) => assert!(text.contains(named), "{words:?}: {text}"),
                other => panic!("{words:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        for words in [
            &["renew", "--help"][..],
            &["renew", "-c", "x", "-h"],
            &["help", "renew"],
        ] {
            match said(words) {
                Err(Answer::Asked(text)) => {
                    assert!(
                        text.contains("Usage: enlist-agent renew [OPTIONS]"),
                        "{text}"
                    );
                    assert!(text.contains("-c, --config <FILE>"), "{text}");
                    assert!(text.contains("[default: 30]"), "{text}");
                }
                other => panic!("{words:?}: {other:?}"),
            }
        }
    }
}
