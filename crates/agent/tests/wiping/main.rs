//! The end of a device's life, told and retold with the power going at every point.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../common/mod.rs"]
mod common;
mod field;

use common::{DAY, When};
use enlist_agent::Progress;
use enlist_agent::disk::Disk;
use enlist_agent::drive::OpenError;
use enlist_agent::wipe::{self, Note, Request};
use enlist_signed::{Envelope, ErasedItem, Erasure, Order, OrderedBy};
use field::{APP, Field};

fn items(erased: &[ErasedItem]) -> Vec<(&str, &Erasure)> {
    let pair = |item: &'static ErasedItem| (item.what.as_str(), &item.result);
    Box::leak(erased.to_vec().into_boxed_slice())
        .iter()
        .map(pair)
        .collect()
}

/// What must hold of a device that was wiped, however often the power went.
fn check_clean(field: &Field) {
    assert!(field.land.borrow().there.is_empty(), "user data is gone");
    assert_eq!(field.names(), ["hardware-id"], "nothing else is left");
    let office = field.office.borrow();
    let [receipt] = &office.receipts[..] else {
        panic!("exactly one receipt: {:?}", office.receipts);
    };
    let (erased, absent) = (Erasure::Erased, Erasure::Absent);
    assert_eq!(
        items(&receipt.erased),
        [
            ("hook:/bin/stop", &erased),
            ("path:/var/lib/app", &erased),
            ("path:/var/lib/never-was", &absent),
            ("configuration", &erased),
            ("log", &erased),
            ("credential", &erased),
        ]
    );
}

#[test]
fn a_wiped_device_leaves_a_receipt_with_the_server_and_nothing_behind() {
    let field = Field::new();
    field.begin(OrderedBy::CommandLine);
    let mut wipe = field.start().unwrap();
    let notes = field.carry_out(&mut wipe);
    check_clean(&field);
    assert_eq!(field.office.borrow().told, 1);
    assert_eq!(field.land.borrow().hooks_run, 1);
    let receipt = field.office.borrow().receipts[0].clone();
    assert_eq!(receipt.ordered_by, OrderedBy::CommandLine);
    assert_eq!(receipt.name.as_str(), "press-1");
    assert!(matches!(notes.last(), Some(Note::Clean)), "{notes:?}");
}

#[test]
fn a_device_in_the_middle_of_a_wipe_does_nothing_else() {
    let field = Field::new();
    assert!(field.rig.try_start().is_ok());
    field.begin(OrderedBy::Button);
    assert!(wipe::is_under_way(&field.disk()).unwrap());
    assert!(matches!(field.rig.try_start(), Err(OpenError::Wiping)));
}

#[test]
fn an_order_of_the_server_begins_the_wipe_and_ends_the_agent() {
    let field = Field::new();
    let number = field.rig.server.borrow_mut().order(Order::Wipe);
    let mut agent = field.rig.start();
    agent.poll_now();
    for _ in 0..1000 {
        match agent.step() {
            Progress::Wiping => break,
            Progress::Wait(until) => field.rig.clock.set(until),
            Progress::Went(_) => {}
        }
    }
    assert!(matches!(agent.step(), Progress::Wiping), "and it stays so");
    let journal = field.journal().unwrap();
    assert_eq!(journal.ordered_by, OrderedBy::Server);
    assert_eq!(journal.command, Some(number));
    field.carry_out(&mut field.start().unwrap());
    assert_eq!(field.names(), ["hardware-id"]);
    assert_eq!(field.office.borrow().receipts.len(), 1);
}

#[test]
fn a_server_that_ordered_the_wipe_is_not_told_of_it() {
    let field = Field::new();
    field.begin(OrderedBy::Server);
    field.carry_out(&mut field.start().unwrap());
    check_clean(&field);
    assert_eq!(field.office.borrow().told, 0);
}

#[test]
fn a_wipe_survives_a_power_cut_at_every_point() {
    for (when, by) in [
        (When::Before, OrderedBy::CommandLine),
        (When::After, OrderedBy::CommandLine),
        (When::Before, OrderedBy::Server),
        (When::After, OrderedBy::Server),
    ] {
        let mut points = 0;
        for at in 0.. {
            let field = Field::new();
            field.rig.fuse.set(at, when);
            field.begin(by);
            if !field.rig.fuse.is_blown() {
                field.carry_out(&mut field.start().unwrap());
            }
            if !field.rig.fuse.was_blown() {
                check_clean(&field);
                points = at;
                break;
            }
            field.rig.fuse.repair();
            check_in_order(&field);
            if field.journal().is_none() && field.state().is_some() {
                assert!(at == 0, "only what has not begun is in service: {at}");
                field.begin(by);
            }
            match field.start() {
                Some(mut wipe) => drop(field.carry_out(&mut wipe)),
                None => assert!(field.names() == ["hardware-id"], "it was over"),
            }
            check_clean(&field);
        }
        assert!(
            points > 25,
            "each write, each exchange, each thing: {points}"
        );
    }
}

/// What must hold at every instant of a wipe.
fn check_in_order(field: &Field) {
    let Some(journal) = field.journal() else {
        return;
    };
    let disk = field.rig.disk.borrow();
    let slot = journal.who.as_ref().unwrap().slot;
    let key = disk.read(&format!("slots/{slot}/key")).unwrap();
    if journal.receipt.is_none() {
        assert!(
            key.is_some(),
            "the key is there until the receipt is signed and kept"
        );
    }
    if journal.keys_gone {
        assert!(key.is_none(), "what the journal says of the keys is so");
    }
    if !field.office.borrow().receipts.is_empty() {
        assert!(
            journal.keys_gone,
            "the receipt goes out after the keys are gone"
        );
        assert!(field.state().is_none());
    }
    assert!(matches!(field.rig.try_start(), Err(OpenError::Wiping)));
}

#[test]
fn a_server_that_is_gone_for_a_month_gets_the_receipt_all_the_same() {
    let field = Field::new();
    field.office.borrow_mut().unreachable = 700;
    field.begin(OrderedBy::Button);
    let start = field.rig.now();
    let notes = field.carry_out(&mut field.start().unwrap());
    check_clean(&field);
    assert_eq!(field.office.borrow().told, 0, "it could not be told");
    assert!(notes.iter().any(|note| matches!(note, Note::NotTold(_))));
    let days = (field.rig.now() - start) / DAY;
    assert!(
        (14..60).contains(&days),
        "asked about once an hour: {days} days"
    );
}

#[test]
fn telling_the_server_takes_a_minute_at_most() {
    let field = Field::new();
    field.office.borrow_mut().unreachable = 4;
    field.begin(OrderedBy::Button);
    let start = field.rig.now();
    field.carry_out(&mut field.start().unwrap());
    assert!(field.rig.now() - start < 60);
    check_clean(&field);
}

#[test]
fn a_receipt_that_the_server_will_never_take_is_left_on_the_device() {
    let field = Field::new();
    field.office.borrow_mut().refuses = true;
    field.begin(OrderedBy::CommandLine);
    let notes = field.carry_out(&mut field.start().unwrap());
    assert!(notes.iter().any(|note| matches!(note, Note::Refused(_))));
    assert_eq!(field.names(), ["hardware-id", "receipt.json"]);
    let copy = field
        .rig
        .disk
        .borrow()
        .read("receipt.json")
        .unwrap()
        .unwrap();
    let key = field
        .office
        .borrow()
        .certificate
        .as_ref()
        .unwrap()
        .public_key();
    let receipt = Envelope::from_json(&copy).unwrap();
    assert!(receipt.is_signed_by(&key.unwrap()));
}

#[test]
fn a_device_that_never_enrolled_is_wiped_without_a_receipt() {
    let field = Field::new_from_the_factory();
    field.begin(OrderedBy::CommandLine);
    field.carry_out(&mut field.start().unwrap());
    assert_eq!(field.names(), ["hardware-id"]);
    assert!(field.office.borrow().receipts.is_empty());
}

#[test]
fn a_device_that_has_lost_its_key_is_wiped_without_a_receipt() {
    let field = Field::new();
    let slot = field.state().unwrap().identity().unwrap().slot;
    let path = format!("slots/{slot}/key");
    field.rig.disk.borrow_mut().write(&path, b"noise").unwrap();
    field.begin(OrderedBy::CommandLine);
    let notes = field.carry_out(&mut field.start().unwrap());
    assert!(
        notes.iter().any(|note| matches!(note, Note::NoReceipt(_))),
        "{notes:?}"
    );
    assert_eq!(field.names(), ["hardware-id"]);
    assert!(
        !field
            .land
            .borrow()
            .there
            .contains(APP.as_ref() as &std::path::Path)
    );
}

#[test]
fn what_somebody_at_the_device_asked_for_is_found_and_then_gone() {
    let field = Field::new();
    assert_eq!(wipe::asked(&field.disk()).unwrap(), None);
    let request = Request {
        reason: Some("sold".into()),
        keep_copy: true,
    };
    wipe::ask(&mut field.disk(), &request).unwrap();
    let order = wipe::asked(&field.disk()).unwrap().unwrap();
    assert_eq!(order.reason.as_deref(), Some("sold"));
    field.begin_with(order.by, order.keep_copy);
    field.carry_out(&mut field.start().unwrap());
    assert_eq!(field.names(), ["hardware-id", "receipt.json"]);
    assert_eq!(wipe::asked(&field.disk()).unwrap(), None);
}

#[test]
fn the_first_order_stands() {
    let field = Field::new();
    field.begin(OrderedBy::Button);
    field.begin(OrderedBy::Server);
    assert_eq!(field.journal().unwrap().ordered_by, OrderedBy::Button);
}

#[test]
fn a_damaged_journal_keeps_the_device_out_of_service_until_the_wipe_begins_anew() {
    let field = Field::new();
    field.begin(OrderedBy::Button);
    let whole = field.rig.disk.borrow().read("wipe.json").unwrap().unwrap();
    for len in 0..whole.len() {
        field
            .rig
            .disk
            .borrow_mut()
            .write("wipe.json", &whole[..len])
            .unwrap();
        assert!(wipe::Journal::read(&field.disk()).is_err(), "{len}");
        assert!(matches!(field.rig.try_start(), Err(OpenError::Wiping)));
    }
    field.begin(OrderedBy::CommandLine);
    field.carry_out(&mut field.start().unwrap());
    check_clean(&field);
}
