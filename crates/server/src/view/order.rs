use enlist_core::{CommandRecord, ReceiptRecord};
use enlist_ops::Error;
use enlist_pki::certificate_pem;
use enlist_signed::{Envelope, Order};
use enlist_wire as wire;

use super::{time, uuid};

/// An order to a device, with what came of it.
pub(crate) fn order(command: &CommandRecord) -> wire::DeviceOrder {
    let outcome = command.outcome.as_ref();
    wire::DeviceOrder {
        number: command.number,
        order: Order::parse(&command.order).map_or(wire::Order::Unknown, told),
        by: command.by.to_string(),
        given_at: time(command.given_at),
        fetched_at: command.fetched_at.map(time),
        closed_at: outcome.map(|one| time(one.at)),
        done: outcome.map(|one| one.done),
        detail: outcome.and_then(|one| one.detail.clone()),
    }
}

/// The order that a caller asks for; `None` for one that does not exist.
pub(crate) fn order_asked(order: wire::Order) -> Option<Order> {
    Order::ALL.into_iter().find(|one| told(*one) == order)
}

/// A signed statement that a caller has sent.
pub(crate) fn envelope_asked(envelope: &wire::Envelope) -> Result<Envelope, Error> {
    Envelope::from_value(&envelope.0)
        .map_err(|error| Error::InvalidRequest(format!("envelope: {error}")))
}

/// A receipt, with the certificate (DER) whose key has signed it.
pub(crate) fn receipt(
    receipt: &ReceiptRecord,
    certificate: &[u8],
) -> Result<wire::DeviceReceipt, Error> {
    let envelope = serde_json::from_slice(&receipt.envelope)
        .map_err(|_| Error::Inconsistent("a receipt on record does not read"))?;
    Ok(wire::DeviceReceipt {
        device_id: uuid(receipt.device.as_bytes()),
        serial: receipt.serial.to_string(),
        received_at: time(receipt.received_at),
        late: receipt.late,
        receipt: wire::Envelope(envelope),
        certificate: certificate_pem(certificate),
    })
}

/// What was handed in is on record.
pub(crate) fn receipt_taken(receipt: &ReceiptRecord) -> wire::ReceiptReply {
    wire::ReceiptReply {
        device_id: uuid(receipt.device.as_bytes()),
        received_at: time(receipt.received_at),
    }
}

fn told(order: Order) -> wire::Order {
    match order {
        Order::RotateKey => wire::Order::RotateKey,
        Order::Renew => wire::Order::Renew,
        Order::RotateToken => wire::Order::RotateToken,
        Order::ResetConfiguration => wire::Order::ResetConfiguration,
        Order::AcceptHardware => wire::Order::AcceptHardware,
        Order::Wipe => wire::Order::Wipe,
    }
}
