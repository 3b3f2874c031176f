//! A device asks about itself: the first use of a new certificate, and how it learns that it is
//! on its way out.

use enlist_core::{CertificateRecord, Device, Name, Timestamp};

use crate::presented::{Errand, Presented, client_certificate, presented};
use crate::{Error, Ops, Source};

/// What a device is told about itself.
#[derive(Debug, Clone)]
pub struct DeviceSelf {
    /// The device.
    pub device: Device,
    /// Its tenant's name.
    pub tenant: Name,
    /// Its group's name.
    pub group: Name,
    /// The certificate it came with.
    pub certificate: CertificateRecord,
    /// The server's time.
    pub now: Timestamp,
}

impl DeviceSelf {
    pub(crate) fn new(ground: Presented, now: Timestamp) -> Self {
        Self {
            device: ground.device,
            tenant: ground.tenant.name,
            group: ground.group.name,
            certificate: ground.certificate,
            now,
        }
    }
}

impl Ops {
    /// Tells the holder of a client certificate about itself. Where it is the new certificate's
    /// first use, the previous one is retired by it.
    ///
    /// # Errors
    /// When the certificate is not one of ours, or no longer good.
    pub async fn device_self(
        &self,
        certificate: Option<Vec<u8>>,
        source: Source,
    ) -> Result<DeviceSelf, Error> {
        let certificate = client_certificate(certificate)?;
        let (look, now) = (certificate.clone(), self.now());
        let found = self
            .inner
            .store
            .read("device_self", move |tx| {
                presented(tx, &look, Errand::Asking, now)
            })
            .await;
        let ground = self.heard(found, source)?;
        if !ground.is_first_use() {
            return Ok(DeviceSelf::new(ground, now));
        }
        let used = self
            .inner
            .store
            .write("retire_previous", move |tx| {
                let ground = presented(tx, &certificate, Errand::Asking, now)?;
                ground.retire_previous(tx, now)?;
                Ok(ground)
            })
            .await;
        Ok(DeviceSelf::new(self.heard(used, source)?, now))
    }
}
