use std::io;
use std::net::IpAddr;
use std::time::Duration;

use enlist_keys::tls::TlsError;
use enlist_pki::ChainError;

/// A call that has no reply of use.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The URL is not one that can be called.
    #[error("`{url}` can't be called: {problem}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The CAs are no certificates.
    #[error("the CAs can't be read as PEM certificates")]
    Anchors(#[source] ChainError),
    /// This system's CAs are not where they usually are.
    #[error(
        "this server's system has no CAs in any of the usual places: name those to believe with --ca"
    )]
    NoSystemRoots,
    /// TLS can't be set up.
    #[error(transparent)]
    Setup(#[from] TlsError),
    /// The name can't be looked up.
    #[error("the name `{name}` can't be looked up")]
    Unresolved {
        /// The name.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The name stands for an address that is never called.
    #[error("{address} is {why}, which is never called")]
    Forbidden {
        /// The address.
        address: IpAddr,
        /// What it is.
        why: &'static str,
    },
    /// Nobody answers there.
    #[error("can't connect")]
    Connect(#[source] io::Error),
    /// The other end is not believed, or does not speak TLS.
    #[error("TLS can't be agreed on")]
    Tls(#[source] io::Error),
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange broke off")]
    Exchange(#[source] hyper::Error),
    /// As many calls as may are under way already. The other end was not asked.
    #[error("too many calls are under way")]
    Crowded,
    /// It took too long.
    #[error("there was no whole answer within {} seconds", .limit.as_secs_f64())]
    TooSlow {
        /// The time that it had.
        limit: Duration,
    },
    /// The answer sends elsewhere.
    #[error("the redirect {status} is not followed")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is longer than is read.
    #[error("the answer, {status}, is longer than {most_bytes} bytes")]
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// What is read at most.
        most_bytes: usize,
    },
}

impl CallError {
    /// Whether no call will ever succeed, whatever the other end does.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Url { .. } | Self::Anchors(_) | Self::Setup(_))
    }
}
