//! Receipts of wiped devices: verified, kept, and the end of a decommissioning.

mod verify;

use enlist_core::{
    Actor, Credential, Device, Event, Farewell, Operator, Outcome, ReceiptRecord, RevocationReason,
    Role, Serial, Standing, StateKind, Timestamp,
};
use enlist_signed::{Envelope, Erasure, Receipt};
use enlist_store::Tx;

use crate::{DevicePath, Error, Ops, Source, delete, devices, scope, standing};
use verify::{Witness, verify, witness};

impl Ops {
    /// Takes the receipt of a wiped device, which proves itself: it is signed with the key of a
    /// certificate that is on record. The device is decommissioned by it, whether it was asked to be or
    /// not. Handing in the same receipt again gives the same answer; of several that one key has signed,
    /// the first counts.
    ///
    /// # Errors
    /// When it is not signed by a device of this installation, or says what its signer can't.
    pub async fn take_receipt(
        &self,
        envelope: Envelope,
        source: Source,
    ) -> Result<ReceiptRecord, Error> {
        let serial = verify::claimed_serial(&envelope)?;
        let witness = self
            .inner
            .store
            .read("receipt_look", move |tx| witness(tx, serial))
            .await?;
        // By the record, not by what somebody claims: a stranger who knows one serial number would fill
        // the counters with devices that he makes up.
        let about = (witness.tenant.name.clone(), witness.certificate.device);
        let verified = verify(&envelope, &witness);
        let kept = match verified {
            Ok(receipt) => self.record_receipt(envelope, receipt, serial).await,
            Err(error) => Err(error),
        };
        kept.inspect_err(|error| {
            let (tenant, device) = &about;
            let refusals = &self.inner.refusals;
            refusals.count(tenant.as_str(), *device, error, source);
        })
    }

    async fn record_receipt(
        &self,
        envelope: Envelope,
        receipt: Receipt,
        serial: Serial,
    ) -> Result<ReceiptRecord, Error> {
        let now = self.now();
        self.change_standing("take_receipt", move |tx| {
            let witness = witness(tx, serial)?;
            record(tx, &witness, &receipt, &envelope, now)
        })
        .await
    }

    /// The receipts of a device, the newest first, each with the certificate whose key has signed it
    /// (DER).
    ///
    /// # Errors
    /// When the device is not there.
    pub async fn receipts(
        &self,
        who: &Operator,
        path: DevicePath,
    ) -> Result<Vec<(ReceiptRecord, Vec<u8>)>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("receipts", move |tx| {
                let (tenant, _, device) = scope::device(tx, &who, Role::Viewer, &path)?;
                let mut found = Vec::new();
                for receipt in tx.receipts_of(tenant.id, device.id)? {
                    let certificate = tx
                        .certificate(receipt.serial)?
                        .ok_or(Error::Inconsistent("a receipt without its certificate"))?;
                    found.push((receipt, certificate.der));
                }
                Ok(found)
            })
            .await
    }
}

fn record(
    tx: &mut Tx<'_>,
    witness: &Witness,
    receipt: &Receipt,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<ReceiptRecord, Error> {
    let (tenant, serial) = (&witness.tenant, witness.certificate.serial);
    let device = tx
        .device(tenant.id, witness.certificate.device)?
        .ok_or(Error::NoCredential)?;
    if device.name != receipt.name {
        return Err(Error::AnotherDevice);
    }
    if let Some(known) = tx.receipt(tenant.id, device.id, serial)? {
        return Ok(known);
    }
    let superseded = RevocationReason::Superseded;
    if matches!(witness.certificate.standing, Standing::Revoked { reason, .. } if reason == superseded)
    {
        // A device signs with its newest key; an older one may be anybody's by now.
        return Err(Error::Renewal(enlist_attest::RenewalRefusal::NotInUse));
    }
    let credential = tx
        .credential(tenant.id, device.id)?
        .filter(|credential| credential.slot(serial).is_some());
    let in_service = matches!(
        device.state().kind(),
        StateKind::Active | StateKind::Suspended | StateKind::Decommissioning
    );
    let kept = ReceiptRecord {
        tenant: tenant.id,
        device: device.id,
        serial,
        envelope: envelope.to_json(),
        received_at: now,
        late: credential.is_none() || !in_service,
    };
    if !tx.insert_receipt(&kept)? {
        // Another connection has just brought it.
        return Err(Error::Busy { retry_after_s: 1 });
    }
    tx.append(&event(&device, receipt, &kept, now))?;
    if let Some(credential) = credential.filter(|_| in_service) {
        end(tx, device, &credential, now)?;
    }
    Ok(kept)
}

/// Takes the device out of service for good.
fn end(
    tx: &mut Tx<'_>,
    device: Device,
    credential: &Credential,
    now: Timestamp,
) -> Result<(), Error> {
    let from = device.state().kind();
    let by = Actor::Device(device.id);
    let device = if from == StateKind::Decommissioning {
        device
    } else {
        // Wiped on the spot, with nobody to tell: it says so now.
        let (device, event) = device.decommission(by.clone(), now)?;
        tx.append(&event)?;
        device
    };
    let (device, event) = device.finish_decommission(Farewell::Receipt, by, now)?;
    devices::save(tx, &device, from)?;
    delete::bury(tx, &device, Some(credential), now)?;
    let wiped = Outcome {
        at: now,
        done: true,
        detail: Some("its receipt is on record".to_owned()),
    };
    for wipe in tx.open_commands(device.tenant, device.id, 0, 64)? {
        if wipe.order == enlist_signed::Order::Wipe.as_str() {
            tx.close_command(device.tenant, device.id, wipe.number, &wiped)?;
        }
    }
    standing::revoke(tx, &device, now)?;
    tx.append(&event)?;
    Ok(())
}

fn event(device: &Device, receipt: &Receipt, kept: &ReceiptRecord, now: Timestamp) -> Event {
    let count = |wanted: fn(&Erasure) -> bool| {
        let items = receipt.erased.iter();
        items.filter(|item| wanted(&item.result)).count()
    };
    let by = Actor::Device(device.id);
    Event::new("receipt-received", device.subject(), by, now)
        .with("serial", kept.serial)
        .with("late", kept.late)
        .with("erased", count(|result| *result == Erasure::Erased))
        .with(
            "failed",
            count(|result| matches!(result, Erasure::Failed(_))),
        )
}
