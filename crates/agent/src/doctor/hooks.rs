//! Whether the programs that hooks name are there, and other programs get what they are to get.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Finding;
use super::patient::Patient;
use crate::config::HookCommand;
use crate::export::Export;

pub(super) fn check(patient: &Patient) -> Finding {
    let configuration = &patient.configuration;
    let check = configuration.configuration_check.iter();
    let hooks: Vec<_> = configuration
        .after_renew
        .iter()
        .chain(&configuration.before_wipe)
        .chain(check)
        .collect();
    let missing: Vec<_> = hooks.iter().filter_map(|hook| missing(hook)).collect();
    match (hooks.len(), missing.as_slice()) {
        (0, _) => Finding::ok("there are none"),
        (1, []) => Finding::ok("one, and its program is there"),
        (count, []) => Finding::ok(format!("{count}, and their programs are there")),
        (_, missing) => Finding::failed(
            format!("not there, or not executable: {}", missing.join(", ")),
            "give hooks the absolute path of a program that the agent's user may execute",
        ),
    }
}

/// Whether other programs find what they are given.
pub(super) fn check_export(patient: &Patient) -> Finding {
    let Some(export) = Export::of(&patient.configuration) else {
        return Finding::ok("nothing is exported: there is no export_directory");
    };
    let Some(own) = patient.identity() else {
        return Finding::skipped("the device is not enrolled yet");
    };
    let serial = own.validity.as_ref().map(|own| own.serial.as_str());
    exported(&export.current(), serial)
}

/// Whether what lies under `current` can be read, and is the certificate with this serial number.
fn exported(current: &Path, serial: Option<&str>) -> Finding {
    match fs::metadata(current.join("certificate.pem")) {
        Ok(_) => {
            let there = fs::read_link(current).ok();
            let there = there.as_deref().and_then(Path::file_name);
            if serial.is_none() || there == serial.map(OsStr::new) {
                return Finding::ok(format!("programs read {}", current.display()));
            }
            Finding::warning(
                format!(
                    "programs find an older certificate in {}",
                    current.display()
                ),
                "the agent writes the new one when it runs; its log says what keeps it",
            )
        }
        Err(why) => Finding::warning(
            format!("{}: {why}", current.display()),
            "the agent writes it when it starts; its log says what keeps it. Run this as a user that may \
             look there",
        ),
    }
}

/// The program of a hook, where it can't be run. A line for the shell has its first word looked up, unless
/// the shell has to read it first.
fn missing(hook: &HookCommand) -> Option<String> {
    let program = match hook {
        HookCommand::Program(words) => words.first()?.as_str(),
        HookCommand::Line(line) => {
            let first = line.split_whitespace().next()?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
            if !first.starts_with('/') || !first.chars().all(is_plain) {
                return None;
            }
            first
        }
    };
    (!can_run(program)).then(|| program.to_owned())
}

fn can_run(program: &str) -> bool {
    if program.contains('/') {
        return is_executable(Path::new(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|place: PathBuf| place.join(program));
    places.any(|place| is_executable(&place))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn an_exported_certificate_that_was_left_behind_is_pointed_out() {
        let home = tempfile::tempdir().unwrap();
        let current = home.path().join("current");
        let verdict = |serial| exported(&current, serial).verdict;
        assert_eq!(verdict(Some("0a")), Verdict::Warning);
        fs::create_dir(home.path().join("0a")).unwrap();
        fs::write(home.path().join("0a/certificate.pem"), "").unwrap();
        symlink("0a", &current).unwrap();
        assert_eq!(verdict(Some("0a")), Verdict::Ok);
        assert_eq!(verdict(Some("0b")), Verdict::Warning);
        assert_eq!(verdict(None), Verdict::Ok);
    }

    #[test]
    fn a_program_that_is_not_there_is_named_and_shell_is_left_to_the_shell() {
        let program = |words: &[&str]| {
            missing(&HookCommand::Program(
                words.iter().map(|word| (*word).to_owned()).collect(),
            ))
        };
        let line = |line: &str| missing(&HookCommand::Line(line.to_owned()));
        assert_eq!(program(&["/no/such"]).as_deref(), Some("/no/such"));
        assert_eq!(
            program(&["no-such-program-here"]).as_deref(),
            Some("no-such-program-here")
        );
        assert_eq!(program(&["sh", "-c", "true"]), None);
        assert_eq!(line("/no/such --now").as_deref(), Some("/no/such"));
        assert_eq!(line("kill -HUP $(cat /run/x.pid)"), None);
        assert_eq!(line("/bin/sh -c true"), None);
        assert_eq!(line("/etc/passwd").as_deref(), Some("/etc/passwd"));
    }
}
