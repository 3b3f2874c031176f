//! What a command came to: the exit status, and the sentence that explains it.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use enlist_core::{InvalidName, Role};
use enlist_wire::{ClientError, Problem};

use crate::say::{colours_on_stderr, say};
use crate::text::shown;

/// Everything went well.
pub const OK: u8 = 0;
/// It was refused, or it failed.
pub const FAILED: u8 = 1;
/// What `diff` compared is different.
pub const DIFFERENT: u8 = 1;
/// The command line can't be understood.
pub const USAGE: u8 = 2;
/// The server can't be reached.
pub const UNREACHABLE: u8 = 3;

/// A refusal of this program's own, told like one of the server's.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    slug: &'static str,
    detail: String,
}

/// Standard output was closed by whoever read it: enough was seen.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub struct EnoughSeen;

/// What went wrong has been said already, in the log.
#[derive(Debug, thiserror::Error)]
#[error("the log says what went wrong")]
pub struct AlreadySaid;

/// A refusal with a stable slug, and a sentence that says what to do.
pub fn refused(slug: &'static str, detail: impl Into<String>) -> anyhow::Error {
    Refused {
        slug,
        detail: detail.into(),
    }
    .into()
}

/// Names the role that the whole of a command takes, where a part that takes less of one was refused.
pub fn as_part_of(role: Role, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let mut error = error.into();
    if let Some(ClientError::Problem(problem)) = error.downcast_mut()
        && problem.slug() == "forbidden"
    {
        problem.detail = format!("this API token may not do that: it takes the role {role}");
    }
    error
}

/// Turns a failed write to standard output into an end without words where its reader has gone.
pub fn written<T>(outcome: io::Result<T>) -> anyhow::Result<T> {
    outcome.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return EnoughSeen.into();
        }
        anyhow::Error::new(error).context("standard output can't be written")
    })
}

/// Says what went wrong, if anything did, and returns the exit status.
pub fn report(outcome: &anyhow::Result<()>) -> ExitCode {
    let status = match outcome {
        Ok(()) => OK,
        Err(error) if error.is::<EnoughSeen>() => OK,
        Err(error) if error.is::<AlreadySaid>() => FAILED,
        Err(error) => {
            explain(error);
            status(error)
        }
    };
    ExitCode::from(status)
}

/// Says what is wrong with the command line, or gives the help or version that was asked for, and
/// returns the exit status.
pub fn usage(error: &clap::Error) -> ExitCode {
    // A reader that has gone is no failure here either.
    let _ = error.print();
    if error.source().is_some_and(<dyn Error>::is::<InvalidName>) {
        say!("  problem: invalid-name");
    }
    ExitCode::from(if error.use_stderr() { USAGE } else { OK })
}

fn status(error: &anyhow::Error) -> u8 {
    let unreachable = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref(),
            Some(ClientError::Unreachable(_) | ClientError::Tls(_))
        )
    });
    if unreachable { UNREACHABLE } else { FAILED }
}

fn explain(error: &anyhow::Error) {
    let (on, off) = if colours_on_stderr() {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut told = Vec::new();
    for cause in error.chain() {
        let words = shown(&cause.to_string());
        // Some errors repeat their source; once is enough.
        if told.iter().any(|before: &String| before.contains(&words)) {
            continue;
        }
        if told.is_empty() {
            say!("{on}error:{off} {words}");
        } else {
            say!("  because: {words}");
        }
        told.push(words);
    }
    for cause in error.chain() {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            say!("  problem: {}", refused.slug);
        }
        if cause.is::<InvalidName>() {
            say!("  problem: invalid-name");
        }
        match cause.downcast_ref::<ClientError>() {
            Some(ClientError::Problem(problem)) => explain_problem(problem),
            Some(ClientError::Unreachable(_)) => {
                say!(
                    "  try: see that the server runs, that its address is right (`enlist get context`), and what its log says"
                );
            }
            Some(error @ ClientError::Tls(_))
                if error.server_certificate_refused_for_its_dates() =>
            {
                say!(
                    "  try: see that the clock here is right; where it is, the server's certificate has run out, or its clock is wrong"
                );
            }
            Some(ClientError::Tls(_)) => {
                say!(
                    "  try: see that the CA file is the root of this server (`enlist login --ca FILE`, or ENLIST_CA)"
                );
            }
            Some(ClientError::Foreign { .. } | ClientError::Garbage { .. }) => {
                say!(
                    "  try: see that the address is that of an Enlist server (`enlist get context`)"
                );
            }
            _ => {}
        }
    }
}

/// What a problem says beyond its sentence.
fn explain_problem(problem: &Problem) {
    say!("  problem: {}", shown(problem.slug()));
    match (&problem.suggestion, list_of(problem.slug())) {
        (Some(suggestion), _) => say!("  try: {}", shown(suggestion)),
        (None, Some(list)) => say!("  try: `{list}` shows what is there"),
        (None, None) => {}
    }
    if let Some(seconds) = problem.retry_after_s {
        say!("  try: again in {seconds} s");
    }
    if let Some(instance) = &problem.instance {
        say!("  in the server's log: {}", shown(instance));
    }
}

/// The command that lists the kind of thing that was not found.
fn list_of(slug: &str) -> Option<&'static str> {
    match slug {
        "tenant-not-found" => Some("enlist get tenants"),
        "group-not-found" => Some("enlist get groups"),
        "device-not-found" => Some("enlist get devices"),
        "manifest-not-found" => Some("enlist get manifests"),
        "manufacturer-not-found" => Some("enlist get manufacturers"),
        "webhook-not-found" => Some("enlist get webhooks"),
        "hook-not-found" => Some("enlist get hooks"),
        "dead-letter-not-found" => Some("enlist get dead-letters WEBHOOK"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_a_refusal_from_a_server_that_is_away() {
        let problem = Problem::new("name-taken", 409, "Name is taken", "Choose another name.");
        let refusal = anyhow::Error::new(ClientError::Problem(Box::new(problem)));
        assert_eq!(status(&refusal), FAILED);
        let away = io::Error::from(io::ErrorKind::ConnectionRefused);
        let away = anyhow::Error::new(ClientError::Unreachable(away.into())).context("no answer");
        assert_eq!(status(&away), UNREACHABLE);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let gone = written::<()>(Err(io::ErrorKind::BrokenPipe.into())).unwrap_err();
        assert!(gone.is::<EnoughSeen>());
        let full = written::<()>(Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert!(!full.is::<EnoughSeen>());
    }
}
