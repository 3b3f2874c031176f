//! What a device asks the server.

mod http;

use enlist_core::Timestamp;
use enlist_pki::path::ServerTrust;
use enlist_wire::{
    ChallengeReply, ChallengeRequest, DeviceSelf, EnrollReply, EnrollRequest, Enrolled, NonceReply,
    NonceRequest, PollReply, PollRequest, RenewRequest, TokenRequest,
};

pub use http::HttpNet;

use crate::disk::Credentials;
use crate::machine::Failure;

/// Asks the server. Each call is one exchange, bounded in time and in the length of the reply; it does
/// not try again.
pub trait Net {
    /// Asks for a challenge to this device's TPM.
    fn challenge(&mut self, request: &ChallengeRequest) -> Result<ChallengeReply, Failure>;

    /// Asks to enroll, presenting the manufacturer's credentials or none.
    fn enroll(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<EnrollReply, Failure>;

    /// Asks for a nonce.
    fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure>;

    /// Asks to renew, presenting these credentials or none.
    fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure>;

    /// Reports, and asks what there is; `None` where the server knows no polls.
    fn poll(
        &mut self,
        credentials: &Credentials,
        request: &PollRequest,
    ) -> Result<Option<PollReply>, Failure>;

    /// Asks to take another token.
    fn new_token(
        &mut self,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Result<DeviceSelf, Failure>;

    /// Asks for the time alone, over a connection whose certificates are verified as of the time that the
    /// server gives, and not of the device's own clock.
    fn time(&mut self) -> Result<Timestamp, Failure>;

    /// Believes these from now on to be the server, and no others.
    fn believe(&mut self, trust: ServerTrust);

    /// Asks who these credentials are.
    fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure>;
}
