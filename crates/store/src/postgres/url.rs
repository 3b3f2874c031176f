//! Reading a database URL: what libpq knows and the client library's reader does not is taken out first.

use std::io;
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::address::Mode;

/// What a database URL says of TLS.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// `sslmode`.
    pub(super) mode: Option<Mode>,
    /// `sslrootcert`.
    pub(super) root: Option<PathBuf>,
    /// `sslcert`.
    pub(super) certificate: Option<PathBuf>,
    /// `sslkey`.
    pub(super) key: Option<PathBuf>,
}

/// What is wrong with a database URL. Says nothing of what may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// Not a URL, or a value that the client library does not take.
    #[error("it can't be read: special characters in names and passwords are written as %XX")]
    Unreadable(#[source] tokio_postgres::Error),
    /// Where the password ends can't be told: what follows would be taken for a host, and shown.
    #[error("it has more than one `@`: in a name or a password it is written as %40")]
    Ats,
    /// Bytes that are no text.
    #[error("what stands behind `?` is no text: special characters are written as %XX")]
    NotText,
    /// A parameter that nobody knows.
    #[error(
        "`{name}` is not known here: take it out. Known are sslmode, sslrootcert, sslcert, sslkey, sslnegotiation, \
         channel_binding, host, hostaddr, port, user, password, dbname, options, application_name, \
         target_session_attrs, connect_timeout, tcp_user_timeout, keepalives, keepalives_idle, \
         keepalives_interval and keepalives_count"
    )]
    Unknown {
        /// Its name.
        name: String,
    },
    /// A parameter with a value that it can't have.
    #[error("`{name}` has to be {expected}")]
    Value {
        /// Its name.
        name: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// Hosts, addresses and ports that do not go together.
    #[error("it needs one port for all hosts or one port each, and as many hostaddr as host")]
    Hosts,
    /// Nothing to verify the database's certificate with.
    #[error(
        "`sslmode={mode}` needs sslrootcert=FILE, the certificate of the CA that vouches for the database"
    )]
    NoRoot {
        /// The mode.
        mode: &'static str,
    },
    /// One half of a certificate and its key.
    #[error("sslcert and sslkey go together: give both, or neither")]
    HalfACertificate,
    /// A file that can't be read.
    #[error("can't read `{}`, which {name} names", path.display())]
    File {
        /// The parameter.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file with something else in it.
    #[error("`{}`, which {name} names, holds no {what} in PEM form", path.display())]
    Content {
        /// The parameter.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What belongs there.
        what: &'static str,
    },
    /// A key that others can read.
    #[error(
        "others can read the key `{}`, which sslkey names: chmod 0600 it, or 0640 where it is root's",
        path.display()
    )]
    OpenKey {
        /// The file.
        path: PathBuf,
    },
    /// What TLS can't work with.
    #[error("TLS can't be set up with what sslcert and sslkey name")]
    Tls(#[source] rustls::Error),
}

/// What a URL says: to the client library, and of TLS.
pub(super) fn read(url: &str) -> Result<(Config, Options), Problem> {
    // Behind the credentials, which may hold anything.
    let from = url.find('@').map_or(0, |at| at + 1);
    let (front, query) = match url[from..].find('?') {
        Some(at) => (&url[..from + at], &url[from + at + 1..]),
        None => (url, ""),
    };
    if front.matches('@').count() > 1 {
        return Err(Problem::Ats);
    }
    let mut options = Options::default();
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        match name.as_str() {
            "sslmode" => options.mode = Some(mode(&value)?),
            "sslrootcert" if value == "system" => {
                return Err(Problem::Value {
                    name: "sslrootcert",
                    expected: "a file, such as /etc/ssl/certs/ca-certificates.crt for the CAs that the system trusts",
                });
            }
            "sslrootcert" => options.root = file(value),
            "sslcert" => options.certificate = file(value),
            "sslkey" => options.key = file(value),
            "keepalives_count" => {
                rest.push(pair.replacen("keepalives_count", "keepalives_retries", 1));
            }
            "target_session_attrs" if value == "primary" => {
                rest.push("target_session_attrs=read-write".to_owned());
            }
            // The library takes one directory of a socket at a time.
            "host" => rest.extend(
                value
                    .split(',')
                    .map(|host| format!("host={}", utf8_percent_encode(host, NON_ALPHANUMERIC))),
            ),
            "user"
            | "password"
            | "dbname"
            | "options"
            | "application_name"
            | "sslnegotiation"
            | "hostaddr"
            | "port"
            | "connect_timeout"
            | "tcp_user_timeout"
            | "keepalives"
            | "keepalives_idle"
            | "keepalives_interval"
            | "keepalives_retries"
            | "target_session_attrs"
            | "channel_binding"
            | "load_balance_hosts" => rest.push(pair.to_owned()),
            _ => return Err(Problem::Unknown { name }),
        }
    }
    if options.certificate.is_some() != options.key.is_some() {
        return Err(Problem::HalfACertificate);
    }
    let config: Config = format!("{front}?{}", rest.join("&"))
        .parse()
        .map_err(|error| problem_of(error, &rest))?;
    if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        return Err(ATTRIBUTES);
    }
    Ok((config, options))
}

const ATTRIBUTES: Problem = Problem::Value {
    name: "target_session_attrs",
    expected: "read-write or primary, as a server writes; or any",
};

/// The library says little of what it does not take.
fn problem_of(error: tokio_postgres::Error, rest: &[String]) -> Problem {
    let known = ["any", "read-write"];
    let given = rest
        .iter()
        .find_map(|pair| pair.strip_prefix("target_session_attrs="));
    match given {
        Some(given) if !known.contains(&given) => ATTRIBUTES,
        _ => Problem::Unreadable(error),
    }
}

fn mode(value: &str) -> Result<Mode, Problem> {
    let expected = if value == "allow" {
        "prefer in place of allow, which tries without TLS first; better verify-full"
    } else {
        "disable, prefer, require, verify-ca or verify-full"
    };
    Mode::parse(value).ok_or(Problem::Value {
        name: "sslmode",
        expected,
    })
}

fn decoded(text: &str) -> Result<String, Problem> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| Problem::NotText)
}

/// An empty value is as good as none, as in libpq.
fn file(value: String) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_does_not_know_is_taken_out_and_decoded() {
        let url = "postgresql://u%40x:p%3fw@db:7/enlist?sslmode=verify-full&sslrootcert=%2Fa%20b%2Fca.pem\
                   &sslcert=c&sslkey=k&connect_timeout=4&keepalives_count=2&application_name=fleet";
        let (config, options) = read(url).unwrap();
        assert_eq!(config.get_user(), Some("u@x"));
        assert_eq!(config.get_password(), Some(&b"p?w"[..]));
        assert_eq!(config.get_dbname(), Some("enlist"));
        assert_eq!(config.get_application_name(), Some("fleet"));
        assert_eq!(config.get_keepalives_retries(), Some(2));
        assert_eq!(options.mode, Some(Mode::VerifyFull));
        assert_eq!(options.root, Some(PathBuf::from("/a b/ca.pem")));
        assert_eq!(options.certificate, Some(PathBuf::from("c")));
        assert_eq!(options.key, Some(PathBuf::from("k")));
    }

    #[test]
    fn no_cut_of_a_url_is_more_than_refused() {
        let url = "postgres://u:p@one:1,two:2/db?sslmode=require&host=a&port=5&options=-c%20x%3D1";
        for end in 0..url.len() {
            let _ = read(&url[..end]);
        }
        assert!(matches!(
            read("postgres://h/d?sslmode=%ff").unwrap_err(),
            Problem::NotText
        ));
        assert!(matches!(
            read("postgres://u:half@a-password@h/d").unwrap_err(),
            Problem::Ats
        ));
    }
}
