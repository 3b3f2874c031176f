use std::fmt::Write as _;

use super::{Command, Flag, Takes};

/// The lines in which a command is called, as help and errors show them.
pub(super) fn usage(command: &Command, called: &str) -> String {
    match command.commands {
        [] => format!("Usage: {called} [OPTIONS]"),
        _ => format!("Usage: {called} <COMMAND>"),
    }
}

/// All that there is to say about a command that was called like that.
pub(super) fn help(command: &Command, called: &str, is_root: bool) -> String {
    let mut text = format!("{}\n\n{}\n", command.about, usage(command, called));
    if !command.commands.is_empty() {
        let below = command.commands.iter().map(|c| (c.name, c.about));
        let rows: Vec<_> = below
            .chain([("help", "Print this, or the help of a command")])
            .map(|(name, about)| (name.to_owned(), about.to_owned()))
            .collect();
        section(&mut text, "Commands", &rows);
    }
    let mut rows: Vec<_> = command.options.iter().map(row).collect();
    rows.push(("-h, --help".to_owned(), "Print this".to_owned()));
    if is_root {
        rows.push(("-V, --version".to_owned(), "Print the version".to_owned()));
    }
    section(&mut text, "Options", &rows);
    if !command.after.is_empty() {
        let _ = write!(text, "\n{}\n", command.after);
    }
    text
}

fn row(flag: &Flag) -> (String, String) {
    let short = flag
        .short
        .map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let mut left = format!("{short}--{}", flag.name);
    if let Some(what) = flag.takes.what(flag.name) {
        let _ = write!(left, " <{what}>");
    }
    let mut right = flag.help.to_owned();
    if let Takes::OneOf(words) = flag.takes {
        let all: Vec<_> = words
            .iter()
            .map(|(word, about)| format!("{word}: {}", about.to_lowercase()))
            .collect();
        let _ = write!(right, " [{}]", all.join("; "));
    }
    if let Some(default) = flag.takes.default() {
        let _ = write!(right, " [default: {default}]");
    }
    (left, right)
}

fn section(text: &mut String, title: &str, rows: &[(String, String)]) {
    let _ = write!(text, "\n{title}:\n");
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    for (left, right) in rows {
        let _ = writeln!(text, "  {left:<width$}  {right}");
    }
}
