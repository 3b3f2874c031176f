//! An enrollment that waits for a person.

use std::net::IpAddr;

use crate::{DeviceId, Digest, GroupId, SecretId, TenantId};

/// What a pending device asked for: all it takes to issue once a person has said yes, and to
/// know the same request when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The pending device.
    pub device: DeviceId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// SHA-256 of the public key that signed the request: the one to certify.
    pub key: Digest,
    /// SHA-256 of the device token, where it has one.
    pub token: Option<Digest>,
    /// Whether the server is to make the key to certify: `key` only asks for it then.
    pub server_key: bool,
    /// The certificate signing request, DER.
    pub csr: Vec<u8>,
    /// The provisioning secret that was shown.
    pub secret: Option<SecretId>,
    /// The lifetime asked for, in hours.
    pub ttl: Option<u32>,
    /// From which address it came, where that is known.
    pub source: Option<IpAddr>,
    /// Where the device has brought neither a secret nor a proof: the group that it waits in.
    pub unproven: Option<GroupId>,
}
