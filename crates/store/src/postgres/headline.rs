//! What people are told first of a database that can't be used: what to do, where its words tell.

use std::error::Error;
use std::io;

use tokio_postgres::error::SqlState;

use super::failed::OutOfReach;
use super::url::Problem;
use crate::error::Cause;

/// What is wrong, and what to do; `None` where that is not known by the cause.
pub(crate) fn headline(cause: &Cause) -> Option<&'static str> {
    if let Some(out_of_reach) = cause.downcast_ref::<OutOfReach>() {
        return out_of_reach.headline();
    }
    cause
        .downcast_ref::<tokio_postgres::Error>()
        .and_then(of_error)
}

/// What is wrong with a database URL.
pub(crate) fn url_headline(cause: &Cause) -> &'static str {
    match cause.downcast_ref() {
        Some(
            Problem::File { .. }
            | Problem::Content { .. }
            | Problem::OpenKey { .. }
            | Problem::Tls(_),
        ) => "a file that the database URL names can't be used",
        Some(Problem::Unreadable(_) | Problem::NotText) | None => {
            "the database URL can't be read: expected something like postgres://user:password@host/database"
        }
        Some(_) => "the database URL asks for what is not to be had",
    }
}

/// The same for one answer, or one attempt to get it.
pub(super) fn of_error(error: &tokio_postgres::Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        return of_attempt(error);
    };
    let words = if *code == SqlState::INVALID_PASSWORD {
        "the database refuses the password: see the user and the password in its URL"
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        "the database does not let this server in: see the user in its URL, and whether pg_hba.conf has a line that lets it in from here"
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        "there is no database of this name: make it with CREATE DATABASE, or correct the name in the URL"
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        "the database grants no more connections"
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        READ_ONLY
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "the role of this server may not do this in the database: make it the owner of the database, or GRANT ALL ON SCHEMA public TO it"
    } else {
        return None;
    };
    Some(words)
}

pub(super) const READ_ONLY: &str =
    "the database takes no writes: it is a standby, or set to be read-only; name the primary";

/// The same where several hosts are named, and not one that can be reached does.
pub(super) const NO_WRITER: &str = "no host in the database URL takes writes: the primary is away and no standby has been promoted, or the primary is not among them";

/// What was not said by the database, but by the client library or by TLS.
fn of_attempt(error: &tokio_postgres::Error) -> Option<&'static str> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        next = error.source();
        // The library has no other way to tell these.
        match error.to_string().as_str() {
            "password missing" => {
                return Some(
                    "the database asks for a password, and its URL has none: write postgres://USER:PASSWORD@HOST/DATABASE, in database_url or ENLIST_DATABASE_URL (PGPASSWORD is not read)",
                );
            }
            "database does not allow writes" => return Some(READ_ONLY),
            "server does not support TLS" => {
                return Some(
                    "the database has no TLS, and sslmode in its URL asks for it: set ssl = on in the database, or another sslmode",
                );
            }
            _ => {}
        }
        if is_untrusted(error) {
            return Some(
                "the database's certificate is not trusted: see sslrootcert, and the name of the host, in its URL",
            );
        }
    }
    None
}

fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    // What stands in an I/O error is not among its sources.
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let tls = inner.and_then(|inner| inner.downcast_ref());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether it stays as it is until somebody changes what the database or this server is told.
pub(super) fn is_final(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => matches!(code.code().get(..2), Some("28" | "3D" | "42")),
        // One that takes no writes may be about to.
        None => of_attempt(error).is_some_and(|words| words != READ_ONLY),
    }
}
