//! Calls to others: what webhooks and hooks send, and what comes back.
//!
//! Who carries them out is given to [`crate::open`], as the clock is; nothing here opens a connection.

mod signature;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

pub(crate) use signature::{SigningSecret, signature_headers};

/// Calls others over HTTPS.
///
/// Whoever implements it verifies the other end's certificate, follows no redirect, uses no proxy,
/// never connects to link-local addresses, and bounds each call in time and bytes.
pub trait Outbound: Send + Sync {
    /// Whether `target` can be called at all, as far as can be said without calling it.
    ///
    /// # Errors
    /// [`OutboundError::Unusable`].
    fn check(&self, target: &Target) -> Result<(), OutboundError>;

    /// Sends one POST of JSON, and reads the reply. Dropping the future ends the call.
    fn call(&self, call: Call) -> Calling<'_>;
}

/// A call under way.
pub type Calling<'a> =
    Pin<Box<dyn Future<Output = Result<OutboundReply, OutboundError>> + Send + 'a>>;

/// Who is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `https://host[:port][/path][?query]`.
    pub url: String,
    /// The CAs that it is believed by, PEM; `None` for those of this server's system.
    pub anchors_pem: Option<String>,
}

/// What a call is for. Those for one never wait for those for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFor {
    /// A question, whose answer a device waits for.
    Hook,
    /// Something to be told.
    Webhook,
}

/// One call.
#[derive(Clone)]
pub struct Call {
    /// What it is for.
    pub of: CallFor,
    /// Who is called.
    pub target: Target,
    /// Headers besides the usual ones: the signatures.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Vec<u8>,
    /// The most time for all of it, from looking up the name to the last byte of the reply.
    pub timeout: Duration,
    /// The most bytes of the reply's body.
    pub most_bytes: usize,
}

/// A reply. Any status but a redirect's comes back so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundReply {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl OutboundReply {
    /// Whether the status says that it went well.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A call without a reply that is of use. The text says why, for the operator who named the target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The URL or its CAs can't be used: no call will ever succeed.
    #[error("{0}")]
    Unusable(String),
    /// There was no whole answer: the name, the connection, its certificate, or the time.
    #[error("{0}")]
    Unreachable(String),
    /// As many calls as may are under way already. The other end was not asked.
    #[error("too many calls are under way")]
    Crowded,
    /// The answer sends elsewhere, which is not followed.
    #[error("it answered with the redirect {status}, which is not followed: name the URL itself")]
    Redirected {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is longer than is read.
    #[error("its answer, {status}, is longer than {most_bytes} bytes")]
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// What is read at most.
        most_bytes: usize,
    },
}

// URLs, headers and bodies may hold what only the receiver should know.

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("of", &self.of)
            .field("timeout", &self.timeout)
            .field("most_bytes", &self.most_bytes)
            .finish_non_exhaustive()
    }
}
