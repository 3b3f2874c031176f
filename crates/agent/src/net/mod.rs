//! The four things that a device asks the server.

mod http;

use enlist_wire::{
    DeviceSelf, EnrollReply, EnrollRequest, Enrolled, NonceReply, NonceRequest, RenewRequest,
};

pub use http::HttpNet;

use crate::disk::Credentials;
use crate::machine::Failure;

/// Asks the server. Each call is one exchange, bounded in time and in the length of the reply; it does
/// not try again.
pub trait Net {
    /// Asks to enroll.
    fn enroll(&mut self, request: &EnrollRequest) -> Result<EnrollReply, Failure>;

    /// Asks for a nonce.
    fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure>;

    /// Asks to renew, presenting these credentials or none.
    fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure>;

    /// Asks who these credentials are.
    fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure>;
}
