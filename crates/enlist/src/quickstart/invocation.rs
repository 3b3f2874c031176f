//! How the user called this program, so that commands to try work as they are printed.

use std::path::Path;

use super::DEFAULT_DATA;
use super::own_context::{NAME, Reach};
use crate::context::Settings;

/// What to type before a command.
pub struct Invocation {
    program: String,
    reach: Reach,
}

impl Invocation {
    /// As this process was called.
    pub fn of_this_process(reach: Reach) -> Self {
        let called = std::env::args().next().unwrap_or_default();
        let by_cargo =
            std::env::var_os("CARGO").is_some() && std::env::var_os("CARGO_MANIFEST_DIR").is_some();
        Self::of(&called, by_cargo, reach)
    }

    fn of(called: &str, by_cargo: bool, reach: Reach) -> Self {
        let optimized = Path::new(called).iter().any(|part| part == "release");
        let program = match (by_cargo, optimized) {
            (true, true) => "cargo run --release --".to_owned(),
            (true, false) => "cargo run --".to_owned(),
            (false, _) if called.is_empty() => "enlist".to_owned(),
            (false, _) => quoted(called),
        };
        Self { program, reach }
    }

    /// The line to type for `command`, which talks to the server of the quickstart.
    pub fn line(&self, command: &str) -> String {
        match self.reach {
            Reach::Current | Reach::Environment => format!("{} {command}", self.program),
            Reach::Named => format!("{} --context {NAME} {command}", self.program),
        }
    }

    /// The line that starts the quickstart again, over the data in `data`.
    pub fn again(&self, data: &Path) -> String {
        if data == Path::new(DEFAULT_DATA) {
            return format!("{} quickstart", self.program);
        }
        let data = quoted(&data.to_string_lossy());
        format!("{} quickstart --data {data}", self.program)
    }

    /// What has to be typed before the commands, if anything.
    pub fn preparation(&self, settings: &Settings, data: &Path) -> Vec<String> {
        if self.reach != Reach::Environment {
            return Vec::new();
        }
        let file = |name| quoted(&data.join(name).to_string_lossy());
        vec![
            format!("export ENLIST_SERVER={}", settings.server),
            format!("export ENLIST_CA={}", file("root.pem")),
            format!("export ENLIST_TOKEN=\"$(cat {})\"", file("admin.token")),
        ]
    }
}

/// The word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_printed_as_the_user_would_type_them() {
        let line = |called, by_cargo, reach| Invocation::of(called, by_cargo, reach).line("get x");
        let current = Reach::Current;
        assert_eq!(
            line("target/release/enlist", true, current),
            "cargo run --release -- get x"
        );
        assert_eq!(
            line("/w/target/debug/enlist", true, current),
            "cargo run -- get x"
        );
        assert_eq!(line("enlist", false, current), "enlist get x");
        assert_eq!(line("./a b/enlist", false, current), "'./a b/enlist' get x");
        assert_eq!(
            line("enlist", false, Reach::Named),
            "enlist --context quickstart get x"
        );
        let again = |data| Invocation::of("enlist", false, current).again(Path::new(data));
        assert_eq!(again("enlist-data"), "enlist quickstart");
        assert_eq!(again("/tmp/a b"), "enlist quickstart --data '/tmp/a b'");
    }
}
