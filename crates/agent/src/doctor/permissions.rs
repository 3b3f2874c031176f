//! Whether others than the agent can read what is secret.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use super::patient::Patient;

/// Deeper than anything the agent makes.
const DEEPEST: u32 = 8;

pub(super) fn check(patient: &Patient) -> Finding {
    let configuration = &patient.configuration;
    let directory = &configuration.persistent_directory;
    let mut exposed = Vec::new();
    match look(directory, 0, &mut exposed) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Finding::failed(
                format!("{}: {error}", directory.display()),
                "run this as the user that the agent runs as, or as root",
            );
        }
        Ok(()) => {}
    }
    if !exposed.is_empty() {
        return Finding::failed(
            format!("others may read {}", exposed.join(", ")),
            format!(
                "chmod -R go= {}; and have the device renew, since somebody may have",
                directory.display()
            ),
        );
    }
    let is_secret = configuration.enrollment_token.is_some() || configuration.quadruple.is_some();
    let open: Vec<_> = configuration
        .files
        .iter()
        .filter(|file| is_secret && fs::metadata(file).is_ok_and(|found| is_exposed(&found)))
        .map(|file| file.display().to_string())
        .collect();
    if !open.is_empty() {
        return Finding::warning(
            format!(
                "others may read {}, and there is a secret in it",
                open.join(", ")
            ),
            "make it the agent's alone: chmod 600",
        );
    }
    Finding::ok(format!("{} is the agent's alone", directory.display()))
}

/// Looks at a directory and what is in it.
fn look(path: &Path, depth: u32, exposed: &mut Vec<String>) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if is_exposed(&found) && !found.is_symlink() {
        exposed.push(path.display().to_string());
    }
    if found.is_dir() && depth < DEEPEST {
        for entry in fs::read_dir(path)? {
            match look(&entry?.path(), depth + 1, exposed) {
                // The agent may be at work.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn is_exposed(found: &Metadata) -> bool {
    found.mode() & 0o077 != 0
}
