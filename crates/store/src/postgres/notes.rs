//! What a database URL comes to, for people.

use super::address::{Address, Mode};
use super::configure;
use crate::OpenError;

/// What a database URL comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseNotes {
    /// Its hosts in the order in which they are tried, as `host:port` or a socket's directory.
    pub hosts: Vec<String>,
    /// What TLS does for those that are not on this machine, as `sslmode` calls it.
    pub tls: &'static str,
    /// What somebody should see to.
    pub warnings: Vec<String>,
}

/// Says what a database URL comes to, and reads the files that it names. Does not connect.
///
/// # Errors
/// When it is not usable.
pub fn database_notes(url: &str) -> Result<DatabaseNotes, OpenError> {
    Ok(notes(&configure(url)?))
}

pub(crate) fn notes(address: &Address) -> DatabaseNotes {
    let warning = match address.mode {
        Mode::Disable => Some("is spoken to without TLS: whoever listens reads along"),
        Mode::Prefer => {
            Some("is spoken to with TLS only where it offers that, and anybody may pose as it")
        }
        Mode::Require => Some("is spoken to with TLS, but anybody may pose as it"),
        Mode::VerifyCa | Mode::VerifyFull => None,
    };
    let away = address.hosts.iter().filter(|host| !host.is_here);
    let warnings = away.filter_map(|host| {
        let name = &host.name;
        let what = warning?;
        Some(format!(
            "the database on {name} {what}; set sslmode=verify-full and sslrootcert=FILE"
        ))
    });
    DatabaseNotes {
        hosts: address.hosts.iter().map(|host| host.name.clone()).collect(),
        tls: address.mode.as_str(),
        warnings: warnings.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_speaks_over_a_network_without_verifying_is_warned() {
        let of = |url: &str| database_notes(url).unwrap();
        for here in [
            "postgres:///db?host=/run/x",
            "postgres://localhost/db?sslmode=disable",
            "postgres://127.0.0.1,[::1]/db",
        ] {
            assert_eq!(of(here).warnings, [""; 0], "{here}");
        }
        let two = of("postgres://u:hunter2@localhost,db.example.com:7/db");
        assert_eq!(two.hosts, ["localhost:5432", "db.example.com:7"]);
        assert_eq!((two.tls, two.warnings.len()), ("prefer", 1));
        assert!(two.warnings[0].contains("db.example.com:7"), "{two:?}");
        assert!(!two.warnings[0].contains("hunter2"), "{two:?}");
        for mode in ["disable", "require"] {
            let notes = of(&format!("postgres://db.example.com/db?sslmode={mode}"));
            assert_eq!((notes.tls, notes.warnings.len()), (mode, 1));
        }
    }
}
