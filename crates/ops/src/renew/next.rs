//! The certificate that follows on a device's current one goes on record.

use enlist_core::{
    Actor, Credential, Device, Event, Group, RenewalRequest, Serial, StateKind, Tenant, Timestamp,
};
use enlist_store::Tx;

use crate::enroll::Missed;
use crate::issue::{Issuance, Signed};
use crate::{devices, standing};

/// A certificate that is to follow on a device's current one, and what that was decided on.
pub(crate) struct Next<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) group: &'a Group,
    pub(crate) device: &'a Device,
    pub(crate) credential: &'a Credential,
    /// The certificate by which the device has proved itself, if by one.
    pub(crate) by: Option<Serial>,
    pub(crate) signed: &'a Signed,
    pub(crate) counter: u64,
    /// Whose key is the one that is certified.
    pub(crate) request: RenewalRequest,
}

impl Next<'_> {
    /// Records it, where the credential is as it was: certificate and event, and what gives way
    /// for it. Nothing has been written where it is not, and is [`Missed::Raced`].
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        by: Actor,
        now: Timestamp,
    ) -> Result<Issuance, Missed> {
        let before = self.credential;
        let (credential, retired) = match self.by {
            // Proving itself by the current certificate is its first use, too.
            Some(serial) => before.clone().used(serial),
            None => (before.clone(), None),
        };
        let slot = self.signed.slot(self.request.key);
        let (credential, unused) = credential.renewed(slot, self.counter, self.request);
        if !tx.save_credential(&credential, before.counter, before.current.serial)? {
            return Err(Missed::Raced);
        }
        for slot in [retired, unused].iter().flatten() {
            standing::supersede(tx, &credential, slot, now)?;
        }
        let mut device = self.device.clone();
        let certificate = self.signed.put(tx, &device)?;
        if device.state().kind() == StateKind::Created {
            // A pre-enrolled device's first start: it has a key of its own now.
            let (activated, event) = device.enroll(by.clone(), now)?;
            devices::save(tx, &activated, StateKind::Created)?;
            tx.append(&event)?;
            device = activated;
        }
        let mut event = Event::new("certificate-renewed", device.subject(), by, now)
            .with("serial", certificate.serial);
        if self.counter != before.counter {
            event = event.with("counter", self.counter);
        }
        tx.append(&event)?;
        Ok(Issuance::new(self.tenant, self.group, device, certificate))
    }
}
