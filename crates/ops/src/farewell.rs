//! A device says that it is about to be wiped.

use enlist_core::{Actor, StateKind};

use crate::presented::{Errand, client_certificate, presented};
use crate::{DeviceSelf, Error, Ops, Source, devices, order, reason};

impl Ops {
    /// Begins to decommission the holder of a client certificate, at its own wish. From now on it may
    /// only poll, and hand in its receipt. Saying it again changes nothing.
    ///
    /// # Errors
    /// When the certificate is not one of ours, or no longer good, or the device is not in service.
    pub async fn farewell(
        &self,
        certificate: Option<Vec<u8>>,
        reason: Option<String>,
        source: Source,
    ) -> Result<DeviceSelf, Error> {
        let certificate = client_certificate(certificate)?;
        let now = self.now();
        let left = self
            .inner
            .store
            .write("farewell", move |tx| {
                let mut ground = presented(tx, &certificate, Errand::Leaving, now)?;
                let from = ground.device.state().kind();
                if from != StateKind::Decommissioning {
                    let by = Actor::Device(ground.device.id);
                    let (device, event) =
                        ground.device.decommission(by, now).map_err(Error::from)?;
                    let event = reason::on(event, reason.as_deref());
                    devices::save(tx, &device, from)?;
                    order::close_all(tx, &device, "the device is being decommissioned", now)?;
                    tx.append(&event)?;
                    ground.device = device;
                }
                Ok(ground)
            })
            .await;
        Ok(DeviceSelf::new(self.heard(left, source)?, now))
    }
}
