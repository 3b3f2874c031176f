use serde::Serialize;
use ureq::http::Method;

use super::{Client, ClientError, MAX_DEVICE_REPLY, MAX_POLL_REPLY, Reply};
use crate::{
    ChallengeReply, ChallengeRequest, DeviceSelf, EnrollReply, EnrollRequest, Enrolled, Farewell,
    NonceReply, NonceRequest, PollReply, PollRequest, ReceiptReply, ReceiptRequest, RenewRequest,
    ServerTime, TokenRequest, WaitReply,
};

/// What a device asks for itself.
impl Client {
    /// Enrolls the device: a certificate, or word that a person has to say yes first.
    pub fn enroll(&self, request: &EnrollRequest) -> Result<EnrollReply, ClientError> {
        let reply = self.ask("/v1/device/enroll", request)?;
        if reply.status == 202 {
            return reply.read().map(EnrollReply::Pending);
        }
        reply.read().map(EnrollReply::Enrolled)
    }

    /// Fetches a challenge that only the TPM named in it can answer.
    pub fn challenge(&self, request: &ChallengeRequest) -> Result<ChallengeReply, ClientError> {
        self.ask("/v1/device/enroll/challenge", request)?.read()
    }

    /// Fetches a nonce, to be signed for a renewal without a client certificate.
    pub fn nonce(&self, request: &NonceRequest) -> Result<NonceReply, ClientError> {
        self.ask("/v1/device/nonce", request)?.read()
    }

    /// Renews the device's certificate onto a new key.
    pub fn renew(&self, request: &RenewRequest) -> Result<Enrolled, ClientError> {
        self.ask("/v1/device/renew", request)?.read()
    }

    /// What the server knows of the device whose certificate the connection presents; by asking, a
    /// new certificate is put to use.
    pub fn device_self(&self) -> Result<DeviceSelf, ClientError> {
        self.call(Method::GET, "/v1/device", None::<&()>, MAX_DEVICE_REPLY)?
            .read()
    }

    /// Reports what the device is at, and fetches what there is for it.
    pub fn poll(&self, request: &PollRequest) -> Result<PollReply, ClientError> {
        self.call(
            Method::POST,
            "/v1/device/poll",
            Some(request),
            MAX_POLL_REPLY,
        )?
        .read()
    }

    /// Waits until there is something to poll for, `seconds` at most. The client's own time limit has to
    /// be longer.
    pub fn wait(&self, seconds: u32) -> Result<WaitReply, ClientError> {
        let path = format!("/v1/device/wait?seconds={seconds}");
        self.call(Method::GET, &path, None::<&()>, MAX_DEVICE_REPLY)?
            .read()
    }

    /// Gives the device a new token.
    pub fn new_token(&self, request: &TokenRequest) -> Result<DeviceSelf, ClientError> {
        self.ask("/v1/device/token", request)?.read()
    }

    /// Says that the device is about to be wiped.
    pub fn farewell(&self, request: &Farewell) -> Result<DeviceSelf, ClientError> {
        self.ask("/v1/device/decommission", request)?.read()
    }

    /// Hands in the receipt of a wipe.
    pub fn receipt(&self, request: &ReceiptRequest) -> Result<ReceiptReply, ClientError> {
        self.ask("/v1/device/receipt", request)?.read()
    }

    /// The server's time.
    pub fn time(&self) -> Result<ServerTime, ClientError> {
        self.call(Method::GET, "/v1/time", None::<&()>, MAX_DEVICE_REPLY)?
            .read()
    }

    fn ask(&self, path: &str, body: &impl Serialize) -> Result<Reply, ClientError> {
        self.call(Method::POST, path, Some(body), MAX_DEVICE_REPLY)
    }
}
