use std::time::Duration;

use crate::Problem;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server understood and refused.
    #[error("{}", told(.0))]
    Problem(Box<Problem>),
    /// Something answered that does not speak Enlist, such as a proxy.
    #[error("an answer with status {status} that is none of Enlist's")]
    Foreign {
        /// The HTTP status.
        status: u16,
        /// Seconds it asks to wait.
        retry_after_s: Option<u64>,
    },
    /// The server said that it went well, in a way that can't be read.
    #[error("a reply with status {status} that can't be read")]
    Garbage {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it, where it is known.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The reply is longer than any of this kind can be.
    #[error("a reply of more than {0} bytes")]
    TooLarge(u64),
    /// The TLS handshake failed: one side does not believe the other.
    #[error("no trusted connection")]
    Tls(#[source] rustls::Error),
    /// No connection, or it broke.
    #[error("the server can't be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server's address is no https URL.
    #[error("{0:?} is not a server's address; it looks like https://enlist.example.com:8443")]
    BadUrl(String),
    /// The API token holds characters that no token has.
    #[error("the API token holds characters that no token has; copy it again")]
    BadToken,
    /// The request can't be written as JSON.
    #[error("the request can't be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

impl ClientError {
    /// The problem, where the server told one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// How long the server asks to wait before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let secs = match self {
            Self::Problem(problem) => problem.retry_after_s,
            Self::Foreign { retry_after_s, .. } => *retry_after_s,
            _ => None,
        };
        secs.map(Duration::from_secs)
    }

    /// Whether the server's certificates were refused here for their dates and nothing else: one of the
    /// two clocks is wrong, or the server's certificate was not renewed.
    #[must_use]
    pub fn server_certificate_refused_for_its_dates(&self) -> bool {
        use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        matches!(
            self,
            Self::Tls(rustls::Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
            ))
        )
    }

    /// Whether the server refused the client certificate in the handshake as expired.
    #[must_use]
    pub fn certificate_refused_as_expired(&self) -> bool {
        matches!(
            self,
            Self::Tls(rustls::Error::AlertReceived(
                rustls::AlertDescription::CertificateExpired
            ))
        )
    }
}

impl From<ureq::Error> for ClientError {
    fn from(error: ureq::Error) -> Self {
        // rustls reports through io::Error, both in the handshake and, for what the server thinks of
        // the client's certificate, with the first read after it.
        match error {
            ureq::Error::Io(error) => match error.downcast::<rustls::Error>() {
                Ok(error) => Self::Tls(error),
                Err(error) => Self::Unreachable(error.into()),
            },
            ureq::Error::Other(error) => match error.downcast::<rustls::Error>() {
                Ok(error) => Self::Tls(*error),
                Err(error) => Self::Unreachable(error),
            },
            ureq::Error::Timeout(_) => Self::Unreachable("no answer in time".into()),
            other => Self::Unreachable(other.into()),
        }
    }
}

fn told(problem: &Problem) -> &str {
    if problem.detail.is_empty() {
        &problem.title
    } else {
        &problem.detail
    }
}
