use enlist_core::Clock;
use enlist_pki::path::{self, Anchors};
use enlist_pki::{Certificate, Usage};
use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    CaKeyPlace, CaStanding, Enrollment, EventsQuery, NewCa, NewToken, RetireCa, RetireRoot, Role,
};

use super::{HOUR, NOW, chains, is_anchored, leaf, next, standings};

#[test]
fn what_the_old_ca_issued_stays_good_while_the_next_one_issues() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let admin = rig.admin();
    let first = admin.cas("default").unwrap().items.remove(0);
    assert_eq!(
        (first.standing, first.unexpired, first.last_expiry),
        (CaStanding::Current, 0, None)
    );
    let mut old = rig.enrolled_device("pumps", "pump-1", &secret);
    let kept = admin.issuing_ca("default").unwrap().anchors;
    assert_eq!(kept.len(), 1);

    let second = next(admin);
    assert_eq!(second.standing, CaStanding::Next);
    assert_eq!(
        refusal(admin.add_ca("default", &NewCa::default())),
        "ca-rollover-under-way"
    );
    // Made known, and nothing is issued under it.
    assert_eq!(admin.issuing_ca("default").unwrap().anchors.len(), 2);
    let during = rig
        .enrolled_device("pumps", "pump-2", &secret)
        .enrolled
        .unwrap();
    assert_eq!(during.issuing_ca, first.certificate);
    assert!(chains(&rig, &during));

    assert_eq!(
        refusal(admin.retire_ca("default", &RetireCa::default())),
        "ca-overlap"
    );
    rig.clock.advance(23 * HOUR);
    assert_eq!(
        refusal(admin.retire_ca("default", &RetireCa::default())),
        "ca-overlap"
    );
    rig.clock.advance(2 * HOUR);
    let now_current = admin.retire_ca("default", &RetireCa::default()).unwrap();
    assert_eq!(now_current.fingerprint, second.fingerprint);
    assert_eq!(refusal(admin.retire_ca("default", &NOW)), "no-next-ca");
    assert_eq!(
        standings(admin, "default"),
        [CaStanding::Current, CaStanding::Retired]
    );

    // The old certificate works, consumers take it, and it is renewed under the new CA.
    assert!(old.client(&rig).device_self().is_ok());
    assert!(is_anchored(&rig, admin, &old.certificate()));
    let renewed = old.renew(&rig).unwrap();
    assert_eq!(renewed.issuing_ca, second.certificate);
    assert!(chains(&rig, &renewed) && is_anchored(&rig, admin, &leaf(&renewed)));
    let fresh = rig
        .enrolled_device("pumps", "pump-3", &secret)
        .enrolled
        .unwrap();
    assert_eq!(fresh.issuing_ca, second.certificate);
    // Whoever never took the next anchor up turns the new ones away, and knows the old ones.
    let lazy = Anchors::from_pem(&kept.concat()).unwrap();
    let now = rig.clock.now().as_secs();
    let takes = |one| path::verify(leaf(one).der(), &[], &lazy, now, Usage::Client).is_ok();
    assert!(takes(&during) && !takes(&renewed));

    let cas = admin.cas("default").unwrap().items;
    assert_eq!((cas[0].unexpired, cas[1].unexpired), (2, 2));
    assert_eq!(cas[1].last_expiry, Some(during.not_after));
    assert_eq!(cas[0].key, first.key);
    assert_ne!(cas[0].key, CaKeyPlace::Offline);

    // When the last one has expired, nobody needs to know the old CA any more.
    rig.clock.advance(200 * HOUR);
    assert_eq!(admin.cas("default").unwrap().items[1].unexpired, 0);
    let authority = admin.issuing_ca("default").unwrap();
    assert_eq!(
        (authority.certificate, authority.anchors.len()),
        (second.certificate, 1)
    );
    let events = admin
        .events("default", &EventsQuery::default())
        .unwrap()
        .items;
    for kind in ["ca-added", "ca-retired"] {
        assert_eq!(events.iter().filter(|one| one.kind == kind).count(), 1);
    }
}

#[test]
fn a_recorded_answer_names_the_ca_that_has_issued_it() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    let before = device.enroll(&rig).unwrap();
    let second = next(rig.admin());
    rig.admin().retire_ca("default", &NOW).unwrap();
    let again = device.enroll(&rig).unwrap();
    assert_eq!(again.certificate, before.certificate);
    assert_eq!(again.issuing_ca, before.issuing_ca);
    assert!(chains(&rig, &again));
    assert_ne!(again.issuing_ca, second.certificate);
}

#[test]
fn a_renewed_ca_is_the_same_ca_for_longer() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    let before = device.enroll(&rig).unwrap();
    let kept = rig.admin().issuing_ca("default").unwrap();
    rig.clock.advance(100 * HOUR);
    let renewed = rig.admin().renew_ca("default").unwrap().ca.unwrap();
    assert_eq!(renewed.unexpired, 1, "what it has issued is still its own");
    assert_eq!(standings(rig.admin(), "default"), [CaStanding::Current]);
    let read = |pem: &str| Certificate::from_pem(pem).unwrap();
    let (old, new) = (read(&kept.certificate), read(&renewed.certificate));
    assert!(new.not_after() > old.not_after());
    assert_eq!(
        (new.spki_der(), new.subject_der()),
        (old.spki_der(), old.subject_der())
    );

    let again = device.enroll(&rig).unwrap();
    assert_eq!(again.certificate, before.certificate);
    assert_eq!(
        again.issuing_ca, renewed.certificate,
        "the newest over its key"
    );
    assert!(chains(&rig, &again));
    let fresh = rig
        .enrolled_device("pumps", "pump-2", &secret)
        .enrolled
        .unwrap();
    assert!(chains(&rig, &fresh));
    // Whoever anchored at it before goes on as ever.
    let anchors = Anchors::from_pem(&kept.anchor).unwrap();
    let now = rig.clock.now().as_secs();
    path::verify(leaf(&fresh).der(), &[], &anchors, now, Usage::Client).unwrap();
    assert_eq!(rig.admin().cas("default").unwrap().items[0].unexpired, 2);
}

#[test]
fn a_ca_whose_time_is_nearly_up_is_renewed_by_itself() {
    let rig = Rig::new();
    let look = || rig.block_on(rig.ops.renew_cas_in_time()).unwrap();
    let year = 24 * 365 * HOUR;
    rig.clock.advance(7 * year);
    assert_eq!(look(), (0, 0));
    rig.clock.advance(year + 30 * 24 * HOUR);
    assert_eq!(look(), (1, 0));
    assert_eq!(look(), (0, 0));
    rig.clock.advance(2 * HOUR);
    assert_eq!(look(), (0, 0), "it is good for ten years more");
    rig.clock.advance(8 * year + 30 * 24 * HOUR);
    assert_eq!(look(), (1, 0));
    rig.clock.advance(8 * year);
    assert_eq!(look(), (0, 1), "it lasts as long as the root");
}

#[test]
fn a_rollover_of_roots_takes_all_issuing_cas_along() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut first = rig.device("pumps", "pump-1", &secret);
    first.enroll(&rig).unwrap();
    next(rig.admin());
    rig.admin().retire_ca("default", &NOW).unwrap();
    let mut second = rig.device("pumps", "pump-2", &secret);
    second.enroll(&rig).unwrap();
    let third = next(rig.admin());

    let root = rig.admin().add_root().unwrap();
    let retire = RetireRoot {
        threshold: None,
        force: true,
    };
    rig.admin().retire_root(&retire).unwrap();
    let admin = || rig.client_with_token(rig.admin_token());
    let begun = std::time::Instant::now();
    while admin().whoami().is_err() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (new_root, now) = (
        Certificate::from_pem(&root.certificate).unwrap(),
        rig.clock.now(),
    );
    let cas = admin().cas("default").unwrap().items;
    let stand: Vec<_> = cas.iter().map(|ca| ca.standing).collect();
    assert_eq!(stand.len(), 3);
    for standing in [CaStanding::Next, CaStanding::Current, CaStanding::Retired] {
        assert!(stand.contains(&standing), "{stand:?}");
    }
    for ca in &cas {
        let certificate = Certificate::from_pem(&ca.certificate).unwrap();
        path::verify_issued(&certificate, &new_root, now.as_secs()).unwrap();
    }
    // Recorded answers of both CAs come under the new root.
    for device in [&mut first, &mut second] {
        let again = device.enroll(&rig).unwrap();
        assert_eq!(again.root, root.certificate);
        assert!(chains(&rig, &again));
    }
    let current = admin().retire_ca("default", &NOW).unwrap();
    let key = |pem: &str| Certificate::from_pem(pem).unwrap().spki_der().to_vec();
    assert_eq!(key(&current.certificate), key(&third.certificate));
    let fresh = rig
        .enrolled_device("pumps", "pump-3", &secret)
        .enrolled
        .unwrap();
    assert_eq!(fresh.issuing_ca, current.certificate);
    assert!(chains(&rig, &fresh));
}

#[test]
fn a_tenant_s_administrators_roll_its_ca_over_and_others_only_look() {
    let rig = Rig::new();
    let token = |role, label: &str| {
        let new = NewToken {
            label: label.to_owned(),
            role,
            group: None,
            expires_in_s: None,
        };
        let created = rig.admin().create_token("default", &new).unwrap();
        rig.client_with_token(created.token.expose())
    };
    rig.admin()
        .create_tenant(&enlist_wire::NewTenant::named("other"))
        .unwrap();
    let (own, viewer) = (token(Role::Admin, "own"), token(Role::Viewer, "looks"));
    assert_eq!(standings(&viewer, "default"), [CaStanding::Current]);
    assert_eq!(
        refusal(viewer.add_ca("default", &NewCa::default())),
        "forbidden"
    );
    assert_eq!(refusal(viewer.renew_ca("default")), "forbidden");
    assert_eq!(refusal(viewer.retire_ca("default", &NOW)), "forbidden");
    assert_eq!(refusal(own.cas("other")), "tenant-not-found");
    assert_eq!(
        refusal(own.add_ca("other", &NewCa::default())),
        "tenant-not-found"
    );
    assert_eq!(refusal(own.retire_ca("other", &NOW)), "tenant-not-found");
    next(&own);
    own.retire_ca("default", &NOW).unwrap();
    assert_eq!(standings(rig.admin(), "other"), [CaStanding::Current]);
}
