use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, value_parser};

use super::{Command, Flag, Takes};

/// The same command as clap knows it.
pub(in super::super) fn describe(command: &'static Command) -> clap::Command {
    let mut described = clap::Command::new(command.name)
        .about(command.about)
        .args(command.options.iter().map(argument))
        .subcommands(command.commands.iter().map(describe))
        .subcommand_required(!command.commands.is_empty());
    if !command.after.is_empty() {
        described = described.after_help(command.after);
    }
    described
}

fn argument(flag: &'static Flag) -> Arg {
    let mut argument = Arg::new(flag.name).long(flag.name).help(flag.help);
    if let Some(short) = flag.short {
        argument = argument.short(short);
    }
    if let Some(default) = flag.takes.default() {
        argument = argument.default_value(default);
    }
    match flag.takes {
        Takes::Nothing => argument.action(ArgAction::SetTrue),
        Takes::Text { what: "FILE", .. } => argument
            .value_name("FILE")
            .value_parser(value_parser!(std::path::PathBuf)),
        Takes::Text { what, .. } => argument.value_name(what),
        Takes::Number { what, .. } => argument.value_name(what).value_parser(value_parser!(u64)),
        Takes::OneOf(words) => {
            let words = words
                .iter()
                .map(|(word, about)| PossibleValue::new(word).help(*about));
            argument.value_parser(PossibleValuesParser::new(words))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::read;
    use super::*;
    use crate::cli::commands::ROOT;

    /// Every command below this one, with all of its options.
    fn lines(command: &'static Command, so_far: &[&str]) -> Vec<Vec<OsString>> {
        let so_far: Vec<&str> = so_far.iter().copied().chain([command.name]).collect();
        if !command.commands.is_empty() {
            let below = command.commands.iter();
            return below.flat_map(|below| lines(below, &so_far)).collect();
        }
        let mut line: Vec<OsString> = so_far.iter().map(OsString::from).collect();
        for flag in command.options {
            line.push(format!("--{}", flag.name).into());
            match flag.takes {
                Takes::Nothing => {}
                Takes::Text { .. } => line.push("something".into()),
                Takes::Number { .. } => line.push("7".into()),
                Takes::OneOf(words) => line.push(words[words.len() - 1].0.into()),
            }
        }
        vec![line]
    }

    #[test]
    fn clap_takes_what_the_agent_takes_and_nothing_else() {
        describe(&ROOT).debug_assert();
        let lines = lines(&ROOT, &[]);
        assert!(lines.len() > 8, "{lines:?}");
        for line in lines {
            let ours = read(&ROOT, line.clone());
            assert!(ours.is_ok(), "{line:?}: {ours:?}");
            describe(&ROOT).try_get_matches_from(&line).unwrap();
            for wrong in ["--nonsense", "nonsense"] {
                let line = || line.iter().cloned().chain([OsString::from(wrong)]);
                assert!(read(&ROOT, line()).is_err(), "{wrong}");
                assert!(describe(&ROOT).try_get_matches_from(line()).is_err());
            }
        }
    }
}
