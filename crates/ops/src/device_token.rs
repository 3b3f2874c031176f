//! A device takes a new token.

use enlist_core::{Actor, Digest, Event};

use crate::presented::{Errand, client_certificate, presented};
use crate::{DeviceSelf, Error, Ops, Source};

impl Ops {
    /// Gives the holder of a client certificate the token that it has made, by its digest. The token
    /// before stays good until the device has acknowledged the order to take a new one, or has used
    /// the new one. Asking again with the same token changes nothing.
    ///
    /// # Errors
    /// When the certificate is not one of ours, or no longer good.
    pub async fn take_token(
        &self,
        certificate: Option<Vec<u8>>,
        token: Digest,
        source: Source,
    ) -> Result<DeviceSelf, Error> {
        let certificate = client_certificate(certificate)?;
        let now = self.now();
        let taken = self
            .inner
            .store
            .write("take_token", move |tx| {
                let ground = presented(tx, &certificate, Errand::Changing, now)?;
                ground.retire_previous(tx, now)?;
                let (tenant, device) = (ground.tenant.id, &ground.device);
                let held = ground.credential.token;
                if held != Some(token) {
                    if !tx.replace_token(tenant, device.id, held, &token)? {
                        return Err(Error::Busy { retry_after_s: 1 }.into());
                    }
                    let by = Actor::Device(device.id);
                    let event = Event::new("device-token-replaced", device.subject(), by, now);
                    tx.append(&event)?;
                }
                Ok(ground)
            })
            .await;
        Ok(DeviceSelf::new(self.heard(taken, source)?, now))
    }
}
