//! The lifecycle table: a test for each of its rows, and one for all that is not in it.

#![allow(clippy::unwrap_used)]

use enlist_core::{
    Actor, ApprovalCode, Clock, Device, DeviceId, Event, Farewell, GroupId, InvalidTransition,
    Labels, NewDevice, State, StateKind, SystemClock, SystemRng, TenantId, Timestamp, Transition,
};

const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

fn new() -> NewDevice {
    NewDevice {
        id: DeviceId::new(&SystemClock, &SystemRng),
        tenant: TenantId::new(&SystemClock, &SystemRng),
        group: GroupId::new(&SystemClock, &SystemRng),
        name: "pump-1".parse().unwrap(),
        labels: Labels::new(),
        hardware: None,
        attested: None,
        at: SystemClock.now(),
    }
}

fn device(state: State) -> Device {
    Device::restore(new(), state, true, AT)
}

fn pending() -> State {
    State::Pending {
        code: ApprovalCode::generate(&SystemRng),
        until: AT,
    }
}

fn every_state() -> Vec<State> {
    vec![
        State::Created,
        pending(),
        State::Active,
        State::Suspended,
        State::Decommissioning,
        State::Decommissioned,
    ]
}

/// What became of the device: its new state, or `None` where it is gone.
fn attempt(
    device: Device,
    transition: Transition,
) -> Result<(Option<Device>, Event), InvalidTransition> {
    let by = Actor::Server;
    let stays = |(device, event)| (Some(device), event);
    let gone = |event| (None, event);
    match transition {
        Transition::Enroll => device.enroll(by, AT).map(stays),
        Transition::Approve => device.approve(by, AT).map(stays),
        Transition::Reject => device.reject(by, AT).map(gone),
        Transition::Suspend => device.suspend(by, AT).map(stays),
        Transition::Resume => device.resume(by, AT).map(stays),
        Transition::Deprovision => device.deprovision(by, AT).map(stays),
        Transition::Decommission => device.decommission(by, AT).map(stays),
        Transition::FinishDecommission => device
            .finish_decommission(Farewell::Receipt, by, AT)
            .map(stays),
        Transition::AllowReenroll => device.allow_reenroll(by, AT).map(stays),
        Transition::Delete => device.delete(by, AT).map(gone),
    }
}

fn goes(from: State, transition: Transition, to: Option<&State>, event: &str) {
    let before = device(from);
    let subject = before.subject();
    let (after, said) = attempt(before, transition).unwrap();
    assert_eq!(after.as_ref().map(Device::state), to);
    assert_eq!(after.map_or(AT, |after| after.changed_at), AT);
    assert_eq!(said.kind, event);
    assert_eq!((said.subject, said.at), (subject, AT));
}

#[test]
fn nothing_becomes_created_by_an_operator() {
    let (device, event) = Device::create(new(), Actor::Server);
    assert_eq!(device.state(), &State::Created);
    assert_eq!(event.kind, "device-created");
    assert!(!device.was_enrolled());
}

#[test]
fn nothing_becomes_active_by_enrollment_into_an_open_group() {
    let (device, event) = Device::create_enrolled(new());
    assert_eq!(device.state(), &State::Active);
    assert_eq!(event.kind, "device-enrolled");
    assert!(device.was_enrolled());
}

#[test]
fn nothing_becomes_pending_by_enrollment_into_an_approve_group() {
    let (device, event) = Device::apply(new(), ApprovalCode::generate(&SystemRng), AT);
    assert_eq!(device.state().kind(), StateKind::Pending);
    assert_eq!(event.kind, "device-applied");
    assert!(!device.was_enrolled());
}

#[test]
fn pending_becomes_active_when_approved() {
    goes(
        pending(),
        Transition::Approve,
        Some(&State::Active),
        "device-approved",
    );
}

#[test]
fn pending_is_gone_when_rejected_or_timed_out() {
    goes(pending(), Transition::Reject, None, "device-rejected");
}

#[test]
fn created_becomes_active_by_enrollment() {
    goes(
        State::Created,
        Transition::Enroll,
        Some(&State::Active),
        "device-enrolled",
    );
}

#[test]
fn active_becomes_suspended() {
    goes(
        State::Active,
        Transition::Suspend,
        Some(&State::Suspended),
        "device-suspended",
    );
}

#[test]
fn suspended_becomes_active_again() {
    goes(
        State::Suspended,
        Transition::Resume,
        Some(&State::Active),
        "device-resumed",
    );
}

#[test]
fn active_and_suspended_become_created_by_deprovisioning() {
    for from in [State::Active, State::Suspended] {
        goes(
            from,
            Transition::Deprovision,
            Some(&State::Created),
            "device-deprovisioned",
        );
    }
}

#[test]
fn active_and_suspended_go_into_decommissioning() {
    for from in [State::Active, State::Suspended] {
        let to = Some(&State::Decommissioning);
        goes(from, Transition::Decommission, to, "device-decommissioning");
    }
}

#[test]
fn decommissioning_ends_with_a_receipt_or_when_the_operator_gives_up() {
    let to = Some(&State::Decommissioned);
    goes(
        State::Decommissioning,
        Transition::FinishDecommission,
        to,
        "device-decommissioned",
    );
    let (_, event) = device(State::Decommissioning)
        .finish_decommission(Farewell::GivenUp, Actor::Server, AT)
        .unwrap();
    assert_eq!(event.detail, [("by".into(), "given-up".to_owned())]);
}

#[test]
fn decommissioned_becomes_created_when_allowed_back() {
    let to = Some(&State::Created);
    goes(
        State::Decommissioned,
        Transition::AllowReenroll,
        to,
        "device-reenroll-allowed",
    );
}

#[test]
fn created_is_gone_when_deleted() {
    goes(State::Created, Transition::Delete, None, "device-deleted");
}

#[test]
fn no_transition_but_those_of_the_table() {
    use StateKind::{Active, Created, Decommissioned, Decommissioning, Pending, Suspended};
    let table = [
        (Created, Transition::Enroll),
        (Created, Transition::Delete),
        (Pending, Transition::Approve),
        (Pending, Transition::Reject),
        (Active, Transition::Suspend),
        (Active, Transition::Deprovision),
        (Active, Transition::Decommission),
        (Suspended, Transition::Resume),
        (Suspended, Transition::Deprovision),
        (Suspended, Transition::Decommission),
        (Decommissioning, Transition::FinishDecommission),
        (Decommissioned, Transition::AllowReenroll),
    ];
    for state in every_state() {
        for transition in Transition::ALL {
            let from = state.kind();
            let outcome = attempt(device(state.clone()), transition);
            if table.contains(&(from, transition)) {
                assert!(outcome.is_ok(), "{from:?} {transition:?}");
            } else {
                let refused = outcome.unwrap_err();
                assert_eq!((refused.from, refused.attempted), (from, transition));
                assert!(refused.to_string().contains("pump-1"));
            }
        }
    }
}

#[test]
fn a_device_that_was_enrolled_once_stays_known_as_such() {
    let (device, _) = Device::create(new(), Actor::Server);
    let (device, _) = device.enroll(Actor::Newcomer, AT).unwrap();
    let (device, _) = device.deprovision(Actor::Server, AT).unwrap();
    assert!(device.was_enrolled());
}
