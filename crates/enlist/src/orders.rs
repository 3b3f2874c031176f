//! Orders to devices, signed by the operators too where their group asks for it.

use anyhow::Context as _;
use enlist_core::DeviceId;
use enlist_signed::Envelope;
use enlist_wire::{Client, DeviceOrder, NewOrder, Order};

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::output::{self, Row};
use crate::say::say;
use crate::text::{shown, word};

/// Orders a device to do something, and says when it will.
pub fn give(global: &Global, device: &DeviceArg, order: Order) -> anyhow::Result<()> {
    let (client, tenant) = global.connect()?;
    let (group, name) = (device.group.group.as_str(), device.name.as_str());
    let mut request = NewOrder {
        order,
        envelope: None,
    };
    // The others the server signs by itself, whoever signs the group's configuration.
    if order == Order::ResetConfiguration {
        request.envelope = completed(global, &client, tenant.as_str(), device, order)?;
    }
    let given = client.order(tenant.as_str(), group, name, &request)?;
    say!(
        "Device `{name}` is ordered to {}: it does so at its next poll, or at once if it waits. `enlist get orders {name} -g {group}` tells what came of it.",
        words(order)
    );
    match global.output {
        Some(format) => output::one(format, &given),
        None => Ok(()),
    }
}

/// An order that destroys, completed with the operators' own signature; `None` where the server signs.
pub fn completed(
    global: &Global,
    client: &Client,
    tenant: &str,
    device: &DeviceArg,
    order: Order,
) -> anyhow::Result<Option<enlist_wire::Envelope>> {
    let (group, name) = (device.group.group.as_str(), device.name.as_str());
    if !global.signing.is_own() {
        return Ok(None);
    }
    let keys = client.signing(tenant, group)?.keys;
    let Some(signer) = global.signing.signer(&keys)? else {
        return Ok(None);
    };
    let request = NewOrder {
        order,
        envelope: None,
    };
    let draft = client.draft_order(tenant, group, name, &request)?;
    let mut envelope =
        Envelope::from_value(&draft.0).context("the server's order is no signed statement")?;
    let known = client.device(tenant, group, name)?.device_id;
    let id = DeviceId::from_bytes(*known.as_bytes());
    check(&envelope, tenant, id, order)?;
    envelope
        .sign(&*signer)
        .context("the order was not signed")?;
    // The server alone says which device has this name: whoever signs can compare.
    say!("Signed an order for device `{name}`, id {id}.");
    Ok(Some(enlist_wire::Envelope(envelope.to_value())))
}

/// Nobody signs what he has not read: the server could have put another order under his pen.
fn check(envelope: &Envelope, tenant: &str, id: DeviceId, order: Order) -> anyhow::Result<()> {
    let command: enlist_signed::Command = envelope
        .claim()
        .context("the server's order does not read")?;
    let is_it = command.tenant.as_str() == tenant
        && command.device == id
        && command.order.as_str() == word(&order);
    if is_it {
        return Ok(());
    }
    Err(crate::failure::refused(
        "another-order",
        "the server gave another order to sign than the one asked for: nothing was signed",
    ))
}

fn words(order: Order) -> &'static str {
    match order {
        Order::RotateKey => "renew its certificate onto a new key",
        Order::Renew => "renew its certificate",
        Order::RotateToken => "take a new token",
        Order::ResetConfiguration => "go back to the defaults of its configuration",
        Order::AcceptHardware => "take the hardware that it finds itself on for its own",
        Order::Wipe => "wipe itself",
        Order::Unknown => "do what this version does not know",
    }
}

impl Row for DeviceOrder {
    const COLUMNS: &'static [&'static str] = &[
        "number", "order", "given", "by", "fetched", "done", "detail",
    ];

    fn cells(&self) -> Vec<String> {
        let done = match self.done {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        };
        vec![
            self.number.to_string(),
            word(&self.order),
            self.given_at.to_string(),
            self.by.clone(),
            self.fetched_at
                .map_or_else(String::new, |at| at.to_string()),
            done.to_owned(),
            self.detail.as_deref().map_or_else(String::new, shown),
        ]
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::Timestamp;
    use enlist_keys::FileKey;
    use enlist_pki::KeyKind;

    use super::*;

    #[test]
    fn an_order_for_another_device_is_not_signed() {
        let [own, other] = [1, 2].map(|byte| DeviceId::from_bytes([byte; 16]));
        let draft = |device, order| {
            let command = enlist_signed::Command {
                tenant: "acme".parse().unwrap(),
                device,
                number: 1,
                order,
                at: Timestamp::from_secs(1),
            };
            Envelope::seal(&command, &FileKey::generate(KeyKind::P256).unwrap()).unwrap()
        };
        let wipe = enlist_signed::Order::Wipe;
        assert!(check(&draft(own, wipe), "acme", own, Order::Wipe).is_ok());
        assert!(check(&draft(other, wipe), "acme", own, Order::Wipe).is_err());
        assert!(check(&draft(own, wipe), "other", own, Order::Wipe).is_err());
        let reset = enlist_signed::Order::ResetConfiguration;
        assert!(check(&draft(own, reset), "acme", own, Order::Wipe).is_err());
    }
}
