use enlist_core::{State, StateKind, Timestamp};
use enlist_ops::{DeviceInFull, DeviceSelf, DeviceView};
use enlist_wire as wire;

use super::certificate::status;
use super::order::order;
use super::report::report;
use super::{desired_configuration, hardware::hardware, time, uuid};

pub(crate) fn device(view: &DeviceView, now: Timestamp) -> wire::Device {
    let device = &view.device;
    wire::Device {
        device_id: uuid(device.id.as_bytes()),
        tenant: view.tenant.to_string(),
        group: view.group.to_string(),
        name: device.name.to_string(),
        state: state(device.state().kind()),
        labels: device.labels.clone(),
        hardware: device.hardware.as_ref().map(hardware),
        attested: device.attested.as_ref().map(hardware),
        created_at: time(device.created_at),
        changed_at: time(device.changed_at),
        certificate: view
            .certificate
            .as_ref()
            .map(|one| wire::CertificateSummary {
                serial: one.serial.to_string(),
                not_before: time(one.not_before),
                not_after: time(one.not_after),
                status: status(one, Some(enlist_ops::Slot::Current), now),
            }),
        pending: match device.state() {
            State::Pending { code, until } => {
                let applied = view.applied.as_ref();
                Some(wire::PendingApproval {
                    code: code.to_string(),
                    since: time(device.created_at),
                    until: Some(time(*until)),
                    from: applied
                        .and_then(|one| one.source)
                        .map(|one| one.to_string()),
                    secret: applied.and_then(|one| one.secret.clone()),
                    unproved: applied.and_then(|one| one.unproved.clone()),
                })
            }
            _ => None,
        },
        desired: None,
        reported: None,
        orders: Vec::new(),
        receipt_at: None,
    }
}

/// A device with all that there is to know of it.
pub(crate) fn device_in_full(found: &DeviceInFull, now: Timestamp) -> wire::Device {
    wire::Device {
        desired: found.desired.as_ref().map(desired_configuration),
        reported: found.report.as_ref().map(report),
        orders: found.orders.iter().map(order).collect(),
        receipt_at: found.receipt.as_ref().map(|one| time(one.received_at)),
        ..device(&found.view, now)
    }
}

pub(crate) fn device_self(view: &DeviceSelf) -> wire::DeviceSelf {
    wire::DeviceSelf {
        device_id: uuid(view.device.id.as_bytes()),
        tenant: view.tenant.to_string(),
        group: view.group.to_string(),
        name: view.device.name.to_string(),
        state: state(view.device.state().kind()),
        serial: view.certificate.serial.to_string(),
        not_after: time(view.certificate.not_after),
        server_time: time(view.now),
    }
}

fn state(kind: StateKind) -> wire::DeviceState {
    match kind {
        StateKind::Created => wire::DeviceState::Created,
        StateKind::Pending => wire::DeviceState::Pending,
        StateKind::Active => wire::DeviceState::Active,
        StateKind::Suspended => wire::DeviceState::Suspended,
        StateKind::Decommissioning => wire::DeviceState::Decommissioning,
        StateKind::Decommissioned => wire::DeviceState::Decommissioned,
    }
}

/// The state that a filter asks for; `None` for one that does not exist.
pub(crate) fn state_asked(state: wire::DeviceState) -> Option<StateKind> {
    match state {
        wire::DeviceState::Created => Some(StateKind::Created),
        wire::DeviceState::Pending => Some(StateKind::Pending),
        wire::DeviceState::Active => Some(StateKind::Active),
        wire::DeviceState::Suspended => Some(StateKind::Suspended),
        wire::DeviceState::Decommissioning => Some(StateKind::Decommissioning),
        wire::DeviceState::Decommissioned => Some(StateKind::Decommissioned),
        wire::DeviceState::Unknown => None,
    }
}
