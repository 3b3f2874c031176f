use serde::Serialize;
use ureq::http::Method;

use super::{Client, ClientError, MAX_DEVICE_REPLY, Reply};
use crate::{
    DeviceSelf, EnrollReply, EnrollRequest, Enrolled, NonceReply, NonceRequest, RenewRequest,
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

    fn ask(&self, path: &str, body: &impl Serialize) -> Result<Reply, ClientError> {
        self.call(Method::POST, path, Some(body), MAX_DEVICE_REPLY)
    }
}
