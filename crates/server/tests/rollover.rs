//! The old root gives way to the next: who takes it, who is counted, and who goes on.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use enlist_core::{Clock, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::path::{self, Anchors, takes_root};
use enlist_pki::{Certificate, KeyKind, Signer, Usage, chain_from_pem};
use enlist_signed::{Envelope, Trust};
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{
    Client, ClientError, Enrolled, Enrollment, NewGroup, NewToken, PollReply, PollRequest,
    RetireRoot, Role, Rollover, RolloverQuery, RootApproval, RootOffer, RootStanding, Signing,
    SigningMethod,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A device with the roots that it believes.
struct Believer {
    device: FakeDevice,
    roots: String,
}

impl Believer {
    fn enrolled(rig: &Rig, group: &str, name: &str, secret: &str) -> Self {
        Self {
            device: rig.enrolled_device(group, name, secret),
            roots: rig.ops.root().to_pem(),
        }
    }

    fn client(&self, rig: &Rig) -> Client {
        rig.client_believing(&self.roots, Some(self.device.identity()))
    }

    fn poll(&self, rig: &Rig) -> Result<PollReply, ClientError> {
        let held = chain_from_pem(&self.roots).unwrap();
        self.client(rig).poll(&PollRequest {
            roots: held.iter().map(Certificate::fingerprint_hex).collect(),
            ..PollRequest::default()
        })
    }

    /// Polls, takes what it is offered as the agent would, and says so.
    fn take(&mut self, rig: &Rig) {
        for offer in self.poll(rig).unwrap().roots {
            self.roots += &taken(&offer, &self.roots, rig.clock.now());
        }
        let left = self.poll(rig).unwrap().roots;
        assert_eq!(left, [], "it holds them all");
    }
}

fn taken(offer: &RootOffer, held: &str, now: Timestamp) -> String {
    let root = Certificate::from_pem(&offer.root).unwrap();
    let cross = Certificate::from_pem(&offer.cross).unwrap();
    let held = Anchors::from_pem(held).unwrap();
    takes_root(&root, &cross, &held, now.as_secs()).unwrap();
    root.to_pem()
}

fn rollover(rig: &Rig, missing: bool) -> Rollover {
    let query = RolloverQuery {
        missing,
        ..RolloverQuery::default()
    };
    rig.admin().rollover("default", &query).unwrap()
}

fn retire(rig: &Rig, threshold: u8, force: bool) -> Result<enlist_wire::Root, ClientError> {
    let threshold = Some(threshold);
    rig.admin().retire_root(&RetireRoot { threshold, force })
}

/// An administrator as of now; the rig's own believes the first root alone.
fn admin(rig: &Rig) -> Client {
    rig.client_with_token(rig.admin_token())
}

/// Whether the server is believed by one who holds `roots`.
fn is_believed(rig: &Rig, roots: &str) -> bool {
    match rig.client_believing(roots, None).time() {
        Ok(_) => true,
        Err(ClientError::Tls(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// The new certificate is presented at once, and yet a little later than the answer is given.
fn wait_until_believed(rig: &Rig, roots: &str) {
    let started = Instant::now();
    while !is_believed(rig, roots) {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn chains_to(enrolled: &Enrolled, root_pem: &str, now: Timestamp) -> bool {
    let leaf = Certificate::from_pem(&enrolled.certificate).unwrap();
    let issuing = Certificate::from_pem(&enrolled.issuing_ca).unwrap();
    let anchors = Anchors::from_pem(root_pem).unwrap();
    let through = [issuing.to_rustls()];
    path::verify(leaf.der(), &through, &anchors, now.as_secs(), Usage::Client).is_ok()
}

#[test]
fn a_device_that_took_the_next_root_goes_on_and_one_that_did_not_is_outside() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut keen = Believer::enrolled(&rig, "pumps", "pump-1", &secret);
    let lazy = Believer::enrolled(&rig, "pumps", "pump-2", &secret);
    let old = rig.ops.root().to_pem();
    let anchor = rig.admin().issuing_ca("default").unwrap().anchor;
    assert_eq!(keen.poll(&rig).unwrap().roots, []);

    let next = rig.admin().add_root().unwrap();
    assert_eq!(next.standing, RootStanding::Next);
    keen.take(&rig);
    assert!(lazy.poll(&rig).unwrap().roots.len() == 1);
    // Until it is retired everything stands under the old root.
    assert!(is_believed(&rig, &old) && !is_believed(&rig, &next.certificate));
    let newcomer = rig.enrolled_device("pumps", "pump-3", &secret);
    assert_eq!(newcomer.enrolled.as_ref().unwrap().root, old);

    retire(&rig, 100, true).unwrap();
    wait_until_believed(&rig, &next.certificate);
    assert!(!is_believed(&rig, &old));
    assert!(keen.poll(&rig).is_ok());
    assert!(matches!(lazy.poll(&rig), Err(ClientError::Tls(_))));

    let renewed = keen.device.renew(&rig).unwrap();
    assert_eq!(renewed.root, next.certificate);
    assert!(chains_to(&renewed, &next.certificate, rig.clock.now()));
    assert!(!chains_to(&renewed, &old, rig.clock.now()));
    assert!(keen.client(&rig).device_self().is_ok());

    // A broker anchors at the issuing CA, which has kept its name and key.
    let anchors = Anchors::from_pem(&anchor).unwrap();
    let now = rig.clock.now().as_secs();
    for one in [
        &renewed.certificate,
        &newcomer.enrolled.unwrap().certificate,
    ] {
        let leaf = Certificate::from_pem(one).unwrap();
        path::verify(leaf.der(), &[], &anchors, now, Usage::Client).unwrap();
    }
}

#[test]
fn a_recorded_answer_is_given_again_under_the_new_root() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    let before = device.enroll(&rig).unwrap();
    let next = rig.admin().add_root().unwrap();
    retire(&rig, 0, false).unwrap();
    wait_until_believed(&rig, &next.certificate);
    let again = device.enroll(&rig).unwrap();
    assert_eq!(again.certificate, before.certificate);
    assert_eq!(again.root, next.certificate);
    assert!(chains_to(&again, &next.certificate, rig.clock.now()));
    let fresh = rig.enrolled_device("pumps", "pump-2", &secret);
    let fresh = fresh.enrolled.unwrap();
    assert!(chains_to(&fresh, &next.certificate, rig.clock.now()));
}

#[test]
fn below_the_threshold_the_old_root_stays() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    assert_eq!(refusal(retire(&rig, 0, true)), "no-next-root");
    assert_eq!(rollover(&rig, true).next, None);
    let mut devices: Vec<_> = (1..=4)
        .map(|n| Believer::enrolled(&rig, "pumps", &format!("pump-{n}"), &secret))
        .collect();
    let next = rig.admin().add_root().unwrap();
    for device in &mut devices[..3] {
        device.take(&rig);
    }
    let seen = rollover(&rig, true);
    assert_eq!(seen.next, Some(next.fingerprint.clone()));
    let group = &seen.groups[0];
    assert_eq!((group.active, group.seen, group.ready), (4, 4, 3));
    assert_eq!(group.never_reported, 1);
    assert_eq!(seen.missing.len(), 1);
    assert_eq!(seen.missing[0].name, "pump-4");
    assert_eq!(rollover(&rig, false).missing, []);

    assert_eq!(refusal(retire(&rig, 100, false)), "rollover-incomplete");
    assert_eq!(refusal(retire(&rig, 76, false)), "rollover-incomplete");
    assert_eq!(refusal(retire(&rig, 101, true)), "invalid-request");
    assert_eq!(
        retire(&rig, 75, false).unwrap().standing,
        RootStanding::Current
    );
}

#[test]
fn a_device_that_was_not_seen_for_a_month_holds_nothing_up() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let _asleep = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin().add_root().unwrap();
    // Its certificate was good until a week from now.
    rig.clock.advance(36 * DAY);
    assert_eq!(refusal(retire(&rig, 100, false)), "rollover-incomplete");
    rig.clock.advance(2 * DAY);
    let group = &rollover(&rig, false).groups[0];
    assert_eq!((group.active, group.seen), (1, 0));
    retire(&rig, 100, false).unwrap();
}

#[test]
fn there_is_one_next_root_at_a_time_and_each_is_vouched_for_by_the_one_before() {
    let rig = Rig::new();
    let first = rig.ops.root();
    let second = rig.admin().add_root().unwrap();
    assert_eq!(refusal(rig.admin().add_root()), "rollover-under-way");
    let public = rig.raw("GET", "/v1/root.pem", &[], b"").body;
    let public = String::from_utf8(public).unwrap();
    assert_eq!(public, first.to_pem() + &second.certificate);

    retire(&rig, 100, false).unwrap();
    wait_until_believed(&rig, &second.certificate);
    let third = admin(&rig).add_root().unwrap();
    let now = rig.clock.now().as_secs();
    for (held, root) in [
        (first.to_pem(), &second),
        (second.certificate.clone(), &third),
    ] {
        let held = Anchors::from_pem(&held).unwrap();
        let cross = Certificate::from_pem(root.cross.as_ref().unwrap()).unwrap();
        let root = Certificate::from_pem(&root.certificate).unwrap();
        takes_root(&root, &cross, &held, now).unwrap();
    }
    let all = admin(&rig).roots().unwrap().items;
    let standings: Vec<_> = all.iter().map(|root| root.standing).collect();
    use RootStanding::{Current, Next, Retired};
    assert_eq!(standings, [Next, Current, Retired]);
    assert!(all[2].retired_at.is_some() && all[2].cross.is_none());

    let events = admin(&rig).events("default", &Default::default()).unwrap();
    let kinds: Vec<_> = events.items.iter().map(|one| one.kind.as_str()).collect();
    for kind in ["root-added", "root-retired"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

#[test]
fn only_the_installations_administrators_change_roots() {
    let rig = Rig::new();
    let new = NewToken {
        label: "tenant's own".to_owned(),
        role: Role::Admin,
        group: None,
        expires_in_s: None,
    };
    let created = rig.admin().create_token("default", &new).unwrap();
    let own = rig.client_with_token(created.token.expose());
    assert_eq!(refusal(own.add_root()), "not-installation-wide");
    let retire = RetireRoot::default();
    assert_eq!(refusal(own.retire_root(&retire)), "not-installation-wide");
    assert_eq!(own.roots().unwrap().items.len(), 1);
    assert_eq!(
        refusal(own.rollover("other", &RolloverQuery::default())),
        "tenant-not-found"
    );
}

/// A group whose operators sign for themselves, with their key.
fn own_signers(rig: &Rig, name: &str) -> (String, FileKey) {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        signing: Signing {
            method: SigningMethod::Local,
            keys: vec![key.public_key().to_pem()],
        },
        ..NewGroup::named(name)
    });
    (secret, key)
}

fn approval(rig: &Rig, (tenant, group): (&str, &str), root: &str, key: &FileKey) -> RootApproval {
    let trust = Trust {
        tenant: tenant.parse().unwrap(),
        group: group.parse().unwrap(),
        root: root.to_owned(),
        at: rig.clock.now(),
    };
    let envelope = Envelope::seal(&trust, key).unwrap();
    RootApproval {
        approval: enlist_wire::Envelope(envelope.to_value()),
    }
}

#[test]
fn a_group_that_signs_for_itself_is_offered_what_its_signers_have_approved() {
    let rig = Rig::new();
    let (secret, key) = own_signers(&rig, "vaults");
    rig.group("pumps", Enrollment::Open);
    let vault = Believer::enrolled(&rig, "vaults", "vault-1", &secret);
    let next = rig.admin().add_root().unwrap().fingerprint;
    assert_eq!(vault.poll(&rig).unwrap().roots, []);
    assert_eq!(rollover(&rig, false).groups[0].approved, Some(false));

    let hand_in = |approval: &RootApproval| rig.admin().approve_root("default", "vaults", approval);
    let here = ("default", "vaults");
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    for refused in [
        approval(&rig, here, &next, &stranger),
        approval(&rig, ("default", "pumps"), &next, &key),
        approval(&rig, ("other", "vaults"), &next, &key),
        approval(&rig, here, &"0".repeat(64), &key),
    ] {
        assert_eq!(refusal(hand_in(&refused)), "invalid-request");
    }
    let good = approval(&rig, here, &next, &key);
    let elsewhere = rig.admin().approve_root("default", "pumps", &good);
    assert_eq!(refusal(elsewhere), "invalid-request", "the server signs");
    assert_eq!(vault.poll(&rig).unwrap().roots, []);

    hand_in(&good).unwrap();
    assert_eq!(rollover(&rig, false).groups[0].approved, Some(true));
    let offers = vault.poll(&rig).unwrap().roots;
    let offered = Envelope::from_value(&offers[0].approval.as_ref().unwrap().0).unwrap();
    let trust: Trust = offered.open([key.public_key()]).unwrap();
    assert_eq!(trust.root, next);
    let events = rig.admin().events("default", &Default::default()).unwrap();
    assert!(events.items.iter().any(|one| one.kind == "root-approved"));
}

#[test]
fn tenants_old_and_new_stand_under_the_new_root() {
    let rig = Rig::new();
    let new = |name: &str| enlist_wire::NewTenant::named(name);
    rig.admin().create_tenant(&new("acme")).unwrap();
    let next = rig.admin().add_root().unwrap();
    retire(&rig, 100, false).unwrap();
    wait_until_believed(&rig, &next.certificate);
    admin(&rig).create_tenant(&new("later")).unwrap();
    let root = Certificate::from_pem(&next.certificate).unwrap();
    for tenant in ["default", "acme", "later"] {
        let authority = admin(&rig).issuing_ca(tenant).unwrap();
        assert_eq!(authority.root, next.certificate, "{tenant}");
        let issuing = Certificate::from_pem(&authority.certificate).unwrap();
        path::verify_issued(&issuing, &root, rig.clock.now().as_secs()).unwrap();
    }
}

#[test]
fn everybody_may_ask_for_the_time() {
    let rig = Rig::new();
    let told = rig.stranger().time().unwrap().time;
    let now = rig.clock.now().as_millis();
    assert_eq!(told, enlist_wire::Time::from_millis(now));
}
