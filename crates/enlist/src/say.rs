//! Words for people: on standard error, and never a reason to fail.

use std::fmt;
use std::io::{IsTerminal, Write};

/// Writes a line to standard error. Nobody listening is no error.
macro_rules! say {
    ($($word:tt)*) => {
        $crate::say::line(format_args!($($word)*))
    };
}
pub(crate) use say;

/// What [`say!`] calls.
pub fn line(words: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{words}");
}

/// Whether standard error is a terminal that takes colours (<https://no-color.org>).
pub fn colours_on_stderr() -> bool {
    std::io::stderr().is_terminal() && colours_wanted()
}

/// Whether standard output is a terminal that takes colours.
pub fn colours_on_stdout() -> bool {
    std::io::stdout().is_terminal() && colours_wanted()
}

fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
