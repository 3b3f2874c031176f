//! What proves a device to the tests' server.

use enlist_agent::disk::Credentials;
use enlist_agent::machine::Failure;
use enlist_core::{DeviceId, RequestId, renewal_message};
use enlist_pki::{Certificate, Signer};
use enlist_wire::{ClientError, RenewRequest};

use super::{Device, Server, problem};

impl Server {
    /// The device that a connection proves.
    pub(super) fn presented(&self, credentials: &Credentials) -> Result<usize, Failure> {
        let leaf = &credentials.chain[0];
        assert_eq!(leaf.spki_der(), credentials.key.public_key().spki_der());
        let leaves = |device: &Device| {
            (device.decommissioning || self.desk.hears_expired) && device.current == *leaf
        };
        let is_over = leaf.not_after() < self.now() && !self.devices.iter().any(leaves);
        if is_over || self.calls_all_expired {
            let alert = rustls::AlertDescription::CertificateExpired;
            return Err(ClientError::Tls(rustls::Error::AlertReceived(alert)).into());
        }
        let at = self.devices.iter().position(|device| {
            [Some(&device.current), device.previous.as_ref()].contains(&Some(leaf))
        });
        let slug = if self.gone.contains(leaf) {
            "certificate-revoked"
        } else {
            "certificate-superseded"
        };
        let at = at.ok_or_else(|| problem(slug, 403, |_| {}))?;
        if self.devices[at].revoked {
            return Err(problem("certificate-revoked", 403, |_| {}));
        }
        Ok(at)
    }

    pub(super) fn proved(
        &self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<(usize, bool), Failure> {
        let id = DeviceId::from_bytes(request.device_id.into_bytes());
        let (at, by_current) = match (credentials, &request.proof) {
            (Some(credentials), None) => {
                let at = self.presented(credentials)?;
                (at, credentials.chain[0] == self.devices[at].current)
            }
            (None, Some(proof)) => {
                let at = self.devices.iter().position(|device| device.id == id);
                let at = at.ok_or_else(|| problem("no-credential", 403, |_| {}))?;
                let device = &self.devices[at];
                let expires = proof.nonce.0[16..].try_into().unwrap();
                if i64::from_be_bytes(expires) < self.now() {
                    return Err(problem("bad-nonce", 403, |_| {}));
                }
                let request_id = RequestId::from_bytes(request.request_id.into_bytes());
                let (nonce, csr) = (&proof.nonce.0, &request.csr.0);
                let message = renewal_message(id, request.counter, request_id, nonce, csr);
                let verifies = |certificate: &Certificate| {
                    let key = certificate.public_key().unwrap();
                    key.verify(&message, &proof.signature.0).is_ok()
                };
                let by_current = verifies(&device.current);
                let by_key = by_current || device.previous.as_ref().is_some_and(verifies);
                let token = proof.device_token.expose();
                if token != device.token && device.previous_token.as_deref() != Some(token) {
                    return Err(problem("wrong-device-token", 403, |_| {}));
                }
                if !by_key {
                    return Err(problem("wrong-key", 403, |_| {}));
                }
                (at, by_current)
            }
            _ => return Err(problem("no-evidence", 401, |_| {})),
        };
        let device = &self.devices[at];
        if device.id != id {
            return Err(problem("another-device", 403, |_| {}));
        }
        if device.decommissioning {
            return Err(problem("device-decommissioning", 403, |_| {}));
        }
        if device.suspended {
            return Err(problem("device-suspended", 403, |_| {}));
        }
        if device.revoked {
            return Err(problem("certificate-revoked", 403, |_| {}));
        }
        Ok((at, by_current))
    }
}
