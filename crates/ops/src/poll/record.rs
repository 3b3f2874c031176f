//! The transaction that records what a poll brings.

use enlist_core::{
    Actor, CommandRecord, ConfigurationNumbers, DeviceReport, Event, Outcome, Timestamp,
};
use enlist_signed::Order;
use enlist_store::Tx;

use super::examine::Plan;
use crate::{Error, devices};

pub(super) fn record(tx: &mut Tx<'_>, plan: &Plan, now: Timestamp) -> Result<(), Error> {
    let ground = &plan.ground;
    let (tenant, device) = (ground.tenant.id, ground.device.id);
    ground.retire_previous(tx, now)?;
    for (command, outcome) in &plan.closed {
        if tx.close_command(tenant, device, command.number, outcome)? {
            closed(tx, plan, command, outcome, now)?;
        }
    }
    if let Some(last) = plan.commands.last() {
        tx.fetched_commands(tenant, device, last.number, now)?;
    }
    if plan.is_report_news() {
        tx.save_device_report(&plan.report)?;
        for event in news(plan, now) {
            tx.append(&event)?;
        }
    }
    Ok(())
}

/// What follows from an order that is done with.
fn closed(
    tx: &mut Tx<'_>,
    plan: &Plan,
    command: &CommandRecord,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), Error> {
    let ground = &plan.ground;
    let kind = if outcome.done {
        "order-done"
    } else {
        "order-failed"
    };
    let mut event = event(plan, kind, now)
        .with("order", &command.order)
        .with("number", command.number);
    if let Some(detail) = &outcome.detail {
        event = event.with("detail", detail);
    }
    tx.append(&event)?;
    match Order::parse(&command.order) {
        Some(Order::RotateToken) if outcome.done => {
            // The device holds the new token durably, so the one before may go.
            if let Some(token) = &ground.credential.token {
                tx.retire_previous_token(ground.tenant.id, ground.device.id, token)?;
            }
        }
        Some(Order::AcceptHardware) if outcome.done => accept_hardware(tx, plan, now)?,
        _ => {}
    }
    Ok(())
}

/// From now on the device is the hardware that it found itself on.
fn accept_hardware(tx: &mut Tx<'_>, plan: &Plan, now: Timestamp) -> Result<(), Error> {
    let changed = |report: &DeviceReport| report.changed_hardware.clone();
    let Some(hardware) = plan.before.as_ref().and_then(changed) else {
        return Ok(());
    };
    let ground = &plan.ground;
    let mut device = ground.device.clone();
    let (tenant, group) = (ground.tenant.id, device.group);
    tx.claim_hardware(tenant, &hardware)?;
    let others = tx.devices_by_hardware(tenant, group, &hardware)?;
    let taken = others.iter().any(|other| other.id != device.id);
    let event = event(plan, "hardware-accepted", now).with("hardware", &hardware);
    if taken && ground.group.hardware_is_identity {
        // Two devices of one identity this group does not have: the record stays, and says why.
        tx.append(&event.with("kept", "another device has this identity"))?;
        return Ok(());
    }
    device.hardware = Some(hardware);
    let state = device.state().kind();
    devices::save(tx, &device, state)?;
    tx.append(&event)?;
    Ok(())
}

/// What is worth an event of its own, once each time it changes.
fn news(plan: &Plan, now: Timestamp) -> Vec<Event> {
    let (before, report) = (plan.before.as_ref(), &plan.report);
    let mut news = Vec::new();
    let changed = report.changed_hardware.as_ref();
    if let Some(hardware) = changed
        && before.and_then(|one| one.changed_hardware.as_ref()) != changed
    {
        let mut event = event(plan, "hardware-changed", now).with("hardware", hardware);
        if let Some(known) = &plan.ground.device.hardware {
            event = event.with("known", known);
        }
        news.push(event);
    }
    let Some(configuration) = &report.configuration else {
        return news;
    };
    let before = before.and_then(|one| one.configuration.as_ref());
    let in_force = |one: &enlist_core::ConfigurationReport| (one.in_force, one.digest.clone());
    if before.map(in_force) != Some(in_force(configuration)) {
        let event = event(plan, "configuration-in-force", now)
            .with("statements", numbers(configuration.in_force))
            .with("schema-version", configuration.schema_version)
            .with("because", &configuration.because)
            .with("digest", &configuration.digest);
        news.push(event);
    }
    if let Some(refused) = &configuration.refused
        && before.and_then(|one| one.refused.as_ref()) != Some(refused)
    {
        let event = event(plan, "configuration-refused", now)
            .with("statements", numbers(refused.numbers))
            .with("reason", &refused.reason)
            .with("detail", &refused.detail);
        news.push(event);
    }
    news
}

fn event(plan: &Plan, kind: &'static str, now: Timestamp) -> Event {
    let device = &plan.ground.device;
    Event::new(kind, device.subject(), Actor::Device(device.id), now)
}

fn numbers(numbers: ConfigurationNumbers) -> String {
    let ConfigurationNumbers {
        schema,
        group,
        device,
    } = numbers;
    format!("schema {schema}, group {group}, device {device}")
}
