//! What can be wrong with settings.

use std::path::PathBuf;

use enlist_core::InvalidNetwork;

use super::Misread;
use crate::traces::InvalidEndpoint;

/// Settings that can't be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("can't read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}` is not a valid configuration{field}", path.display(), field = at(field))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field that is wrong, where one is.
        field: String,
        /// What is wrong with it.
        #[source]
        source: Misread,
    },
    /// A variable of the environment is not what it should be.
    #[error("the environment variable {name} can't be used: {problem}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// One half of a certificate and its key.
    #[error(
        "tls_certificate and tls_key go together: give both, or neither for a certificate of the service CA's"
    )]
    HalfACertificate,
    /// No URL, or not one of HTTPS.
    #[error(
        "public_url has to be an https:// URL with a host name and no path, such as https://enlist.example.com"
    )]
    PublicUrl,
    /// Room for nobody.
    #[error("max_connections has to be at least 1")]
    NoConnections,
    /// No URL, or not one of HTTP.
    #[error(
        "status_url has to be an http:// URL with a host name, such as http://pki.example.com: whoever checks a certificate must not have to check another one for that"
    )]
    StatusUrl,
    /// Nothing that certificates could point to.
    #[error(
        "status_listen names no address that certificates could point to: set status_url, or public_url"
    )]
    NoStatusUrl,
    /// No URL of a collector's.
    #[error("otlp_endpoint can't be used")]
    OtlpEndpoint(#[source] InvalidEndpoint),
    /// No share of anything.
    #[error("trace_ratio has to be from 0 to 1: 0.01 traces one request in a hundred")]
    TraceRatio,
    /// A list that nobody could rely on, or for ever.
    #[error("crl_lifetime_h has to be from 2 to 8784 hours")]
    CrlLifetime,
    /// No range of addresses.
    #[error("trusted_proxies names the addresses of load balancers")]
    TrustedProxy(#[source] InvalidNetwork),
    /// Longer than anybody waits for a server to end.
    #[error("drain_delay_s has to be 600 seconds or less")]
    DrainDelay,
    /// A database that is not known.
    #[error(
        "database_url has to begin with postgres://; without it the server uses SQLite in the data directory"
    )]
    DatabaseUrl,
}

fn at(field: &str) -> String {
    if field.is_empty() || field == "." {
        String::new()
    } else {
        format!(", at `{field}`")
    }
}
