use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;

use enlist_core::Clock;
use enlist_wire::Time;

/// Lines for whoever operates the device, on standard error: time, level, words. The time is left out
/// where systemd's journal adds its own.
#[derive(Clone)]
pub(crate) struct Log {
    clock: Option<Arc<dyn Clock>>,
}

impl Log {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
        Self {
            clock: (!is_journal).then_some(clock),
        }
    }

    pub(crate) fn info(&self, words: impl Display) {
        self.line("INFO", words);
    }

    pub(crate) fn warn(&self, words: impl Display) {
        self.line("WARN", words);
    }

    pub(crate) fn error(&self, words: impl Display) {
        self.line("ERROR", words);
    }

    fn line(&self, level: &str, words: impl Display) {
        let mut line = String::new();
        if let Some(clock) = &self.clock {
            let now = Time::from_secs(clock.now().as_secs());
            line = format!("{now} ");
        }
        line += &one_line(&format!("{level} {words}"));
        line.push('\n');
        // Nobody is left to tell when standard error is gone.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// A server's words must neither steer a terminal nor forge another line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("a\nERROR b\u{1b}[2J"), "a ERROR b [2J");
    }
}
