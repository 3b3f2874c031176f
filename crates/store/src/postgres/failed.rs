//! What the database's errors mean for a job.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::error::{DbError, Severity, SqlState};

use super::headline;
use crate::StoreError;

/// Sorts an error.
pub(super) fn failed(error: tokio_postgres::Error) -> StoreError {
    let database = error.as_db_error();
    let code = database.map(|error| error.code().clone());
    let is_fatal = database.is_some_and(is_fatal);
    let cause = Arc::new(error);
    let Some(code) = code else {
        // Not an answer of the database: the connection broke, or never was.
        return StoreError::Unavailable(cause);
    };
    if [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
    ]
    .contains(&code)
    {
        return StoreError::Contended(cause);
    }
    if [
        SqlState::UNIQUE_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
        // Two servers that make the same table at once.
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ]
    .contains(&code)
    {
        return StoreError::Conflict(cause);
    }
    match code.code().get(..2) {
        _ if code == SqlState::DISK_FULL => StoreError::Full(cause),
        // It has become a standby: the next connection finds its successor.
        _ if code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unavailable(cause),
        // The connection ends with it, whatever it was.
        _ if is_fatal => StoreError::Unavailable(cause),
        // Connection; resources; operator's doing; who; where.
        Some("08" | "53" | "57" | "28" | "3D") => StoreError::Unavailable(cause),
        _ => StoreError::Refused(cause),
    }
}

fn is_fatal(error: &DbError) -> bool {
    matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    )
}

/// A statement that was not answered in time.
#[derive(Debug, thiserror::Error)]
#[error("the database has not answered within {} s: it may hang, or the network between", .0.as_secs())]
pub(super) struct NoAnswer(pub(super) Duration);

/// Why one host could not be used.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It did not answer in time.
    Late(Duration),
    /// It, or what lies between, said no.
    Said(tokio_postgres::Error),
}

impl Refusal {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Late(_) => None,
            Self::Said(error) => error.code(),
        }
    }

    /// Whether all connections that the database grants are taken.
    fn is_crowded(&self) -> bool {
        self.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
    }

    /// Whether it stays as it is until somebody changes what the database or we are told.
    fn is_final(&self) -> bool {
        match self {
            Self::Late(_) => false,
            Self::Said(error) => headline::is_final(error),
        }
    }

    /// What people are told first of it.
    fn headline(&self) -> Option<&'static str> {
        match self {
            Self::Late(_) => None,
            Self::Said(error) => headline::of_error(error),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(limit) => write!(f, "no answer within {} s", limit.as_secs()),
            Self::Said(error) => {
                let mut next: Option<&dyn Error> = Some(error);
                let mut before = "";
                while let Some(error) = next {
                    next = error.source();
                    // The library's own words for "the database says".
                    if next.is_some() && error.to_string() == "db error" {
                        continue;
                    }
                    write!(f, "{before}{error}")?;
                    before = ": ";
                }
                Ok(())
            }
        }
    }
}

/// No host of the database could be used, and why each could not.
#[derive(Debug)]
pub(crate) struct OutOfReach {
    pub(super) hosts: Vec<(String, Refusal)>,
}

impl OutOfReach {
    /// Where that is what the error says.
    pub(crate) fn of(error: &StoreError) -> Option<&Self> {
        match error {
            StoreError::Unavailable(cause) => cause.downcast_ref(),
            _ => None,
        }
    }

    /// Whether all connections that the database grants are taken.
    pub(crate) fn is_crowded(&self) -> bool {
        self.hosts.iter().any(|(_, refusal)| refusal.is_crowded())
    }

    /// What people are told first, where all hosts that tell something tell the same.
    pub(super) fn headline(&self) -> Option<&'static str> {
        let mut told = self
            .hosts
            .iter()
            .filter_map(|(_, refusal)| refusal.headline());
        let first = told.next()?;
        let is_one = told.all(|other| other == first);
        match first {
            headline::READ_ONLY if is_one && self.hosts.len() > 1 => Some(headline::NO_WRITER),
            first => is_one.then_some(first),
        }
    }

    /// Whether trying again in a moment may help.
    pub(crate) fn may_pass(&self) -> bool {
        !self.hosts.iter().all(|(_, refusal)| refusal.is_final())
    }
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (host, refusal) in &self.hosts {
            write!(f, "{before}{host}: {refusal}")?;
            before = "; ";
        }
        if self.is_crowded() {
            write!(
                f,
                " (raise max_connections of PostgreSQL, or the role's CONNECTION LIMIT, or run fewer servers)"
            )?;
        }
        Ok(())
    }
}

impl Error for OutOfReach {}
