//! How a device comes to believe a new root.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{HOUR, Rig, TestAgent};
use enlist_agent::disk::Disk;
use enlist_agent::machine::Note;
use enlist_core::{SigningMethod, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, KeyKind, Signer};
use enlist_signed::Trust;

fn hex(certificate: &Certificate) -> String {
    let bytes = certificate.fingerprint();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn holds(rig: &Rig, root: &Certificate) -> bool {
    let server = rig.server.borrow();
    let report = server.desk.report.as_ref();
    report.is_some_and(|report| report.roots.contains(&hex(root)))
}

fn hours(rig: &Rig, agent: &mut TestAgent, hours: i64) -> Vec<Note> {
    let end = rig.now() + hours * HOUR;
    rig.until(agent, |_| rig.now() > end)
}

#[test]
fn a_root_that_the_old_one_vouches_for_is_taken_and_kept() {
    let (rig, mut agent) = Rig::enrolled();
    let root = rig.server.borrow_mut().roll_over();
    let notes = hours(&rig, &mut agent, 3);
    assert!(matches!(&notes[..], [Note::RootTaken(print)] if *print == hex(&root)));
    assert!(holds(&rig, &root), "and the server is told");
    let kept = rig.disk.borrow().read("anchors.pem").unwrap().unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), root.to_pem());
    drop(agent);

    let mut agent = rig.start();
    rig.server.borrow_mut().move_below_the_new_root();
    agent.renew_now();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(Rig::identity(&agent).counter, 1);
}

#[test]
fn without_the_new_root_nothing_below_it_is_taken() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().roll_over();
    rig.server.borrow_mut().desk.roots.clear();
    rig.server.borrow_mut().move_below_the_new_root();
    agent.renew_now();
    let (notes, _) = rig.pass(&mut agent);
    assert!(
        matches!(&notes[..], [Note::Trouble { failure, .. }]
            if failure.message.contains("do not chain")),
        "{notes:?}"
    );
}

#[test]
fn a_root_that_nobody_vouches_for_is_refused_and_told_once() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().offer_strange_root();
    let notes = hours(&rig, &mut agent, 24);
    let [Note::NotTaken { what, why }] = &notes[..] else {
        panic!("{notes:?}");
    };
    assert_eq!(*what, "a new root");
    assert!(why.contains("vouches"), "{why}");
    assert!(rig.disk.borrow().read("anchors.pem").unwrap().is_none());
}

#[test]
fn where_operators_sign_for_themselves_a_root_needs_their_yes_too() {
    let mut rig = Rig::new();
    let group = FileKey::generate(KeyKind::P256).unwrap();
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    rig.configuration.signing_method = SigningMethod::Local;
    rig.configuration.public_keys = vec![group.public_key().to_pem()];
    let mut agent = rig.start();
    rig.settle(&mut agent);

    let root = rig.server.borrow_mut().roll_over();
    let yes = |root: String, group: &str| Trust {
        tenant: "default".parse().unwrap(),
        group: group.parse().unwrap(),
        root,
        at: Timestamp::from_secs(rig.now()),
    };
    let good = yes(hex(&root), "presses");
    let attempts = [
        (None, "missing"),
        (Some((good.clone(), &stranger)), "does not count"),
        (Some((yes(hex(&root), "lathes"), &group)), "something else"),
        (
            Some((yes("00".repeat(32), "presses"), &group)),
            "something else",
        ),
    ];
    for (approval, words) in attempts {
        let approval = approval.as_ref().map(|(trust, key)| (trust, *key));
        rig.server.borrow_mut().offer_again(approval);
        let notes = hours(&rig, &mut agent, 2);
        assert!(
            matches!(&notes[..], [Note::NotTaken { why, .. }] if why.contains(words)),
            "{words}: {notes:?}"
        );
        assert!(!holds(&rig, &root));
    }
    rig.server.borrow_mut().offer_again(Some((&good, &group)));
    hours(&rig, &mut agent, 2);
    assert!(holds(&rig, &root));
}
