//! How many, how fast, and from where.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use enlist_core::Rng as _;
use enlist_ops::{Enrollment as Asked, EnrollmentOutcome, Location};
use enlist_pki::csr;
use enlist_testkit::{FakeDevice, Postgres, Rig, refusal};
use enlist_wire::{ClientError, Enrollment, NewSecret, SecretRate, SecretState};

use crate::{claiming, on, secret, serials};

/// Asks again where the server is too busy to say, or its answer is lost.
fn insist(device: &mut FakeDevice, rig: &Rig) -> Result<(), String> {
    for _ in 0..1000 {
        match device.enroll(rig) {
            Ok(_) => return Ok(()),
            Err(ClientError::Problem(problem)) if problem.slug() == "busy" => {}
            Err(ClientError::Unreachable(_)) => {}
            Err(error) => return Err(refusal(Err::<(), _>(error))),
        }
    }
    Err("busy".to_owned())
}

/// Five hundred attempts on a leaked secret: each of the hundred serial numbers is claimed under three
/// names, and two hundred claim what is not on the manifest, or nothing.
fn leaked(doors: &[&Rig]) {
    let rig = doors[0];
    rig.group("pumps", Enrollment::Open);
    serials(rig, "batch", (0..100).map(|n| format!("SN-{n:03}")));
    let bounded = NewSecret {
        max_devices: Some(100),
        ..on("batch")
    };
    let secret = secret(rig, "pumps", &bounded);
    let next = AtomicUsize::new(0);
    let (inside, refused) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..40 {
            let door = doors[worker % doors.len()];
            let (next, secret, inside, refused) = (&next, &secret, &inside, &refused);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= 500 {
                        return;
                    }
                    let serial = format!("SN-{:03}", n / 5);
                    let mut device = match n % 5 {
                        3 => claiming(door, &format!("pump-{n}"), secret, &format!("X-{n}")),
                        4 => door.device("pumps", &format!("pump-{n}"), secret),
                        _ => claiming(door, &format!("pump-{n}"), secret, &serial),
                    };
                    match insist(&mut device, door) {
                        Ok(()) => inside.lock().unwrap().push(serial),
                        Err(slug) => refused.lock().unwrap().push((n % 5, slug)),
                    }
                }
            });
        }
    });
    let inside = inside.into_inner().unwrap();
    assert_eq!(inside.len(), 100);
    let different: BTreeSet<_> = inside.iter().collect();
    assert_eq!(different.len(), 100, "each serial number once");
    for (kind, slug) in refused.into_inner().unwrap() {
        let expected = match kind {
            3 | 4 => &["manifest-not-listed", "secret-used-up"][..],
            _ => &["manifest-entry-used", "secret-used-up"],
        };
        assert!(expected.contains(&slug.as_str()), "{kind}: {slug}");
    }
    let shown = rig.admin().secrets("default", "pumps").unwrap().items;
    let shown = shown.iter().find(|one| one.max_devices.is_some()).unwrap();
    assert_eq!((shown.used, shown.state), (100, SecretState::UsedUp));
    let manifest = rig.admin().manifest("default", "batch").unwrap();
    assert_eq!((manifest.entries, manifest.used), (100, 100));
}

#[test]
fn of_five_hundred_with_a_leaked_secret_the_hundred_on_the_manifest_get_in() {
    leaked(&[&Rig::new()]);
}

#[test]
fn through_two_servers_on_one_postgresql_it_is_the_same_hundred() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("leaked"));
    let here = Rig::on_shared(place.clone());
    let there = Rig::beside(&here, place);
    leaked(&[&here, &there]);
    a_rate_holds_across_servers(&here, &there);
}

fn a_rate_holds_across_servers(here: &Rig, there: &Rig) {
    let rated = NewSecret {
        rate: Some(SecretRate {
            devices: 30,
            per_s: 366 * 86_400,
        }),
        ..NewSecret::default()
    };
    let secret = secret(here, "pumps", &rated);
    assert_eq!(crowd(&[here, there], &secret, 120), 30);
}

/// How many of so many devices get in that ask at once; the others are told to wait.
fn crowd(doors: &[&Rig], secret: &str, count: usize) -> usize {
    let (next, inside) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for worker in 0..20 {
            let door = doors[worker % doors.len()];
            let (next, inside) = (&next, &inside);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return;
                    }
                    let name = format!("valve-{n}-{}", word(door));
                    match insist(&mut door.device("pumps", &name, secret), door) {
                        Ok(()) => inside.fetch_add(1, Ordering::Relaxed),
                        Err(slug) => {
                            assert_eq!(slug, "secret-rate");
                            continue;
                        }
                    };
                }
            });
        }
    });
    inside.into_inner()
}

/// A word that no other device is called by.
fn word(rig: &Rig) -> String {
    let mut bytes = [0; 6];
    rig.rng.fill(&mut bytes);
    enlist_core::lower_hex(&bytes)
}

#[test]
fn a_rate_admits_exactly_as_many_and_says_when_to_come_again() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let rated = NewSecret {
        rate: Some(SecretRate {
            devices: 20,
            per_s: 3600,
        }),
        ..NewSecret::default()
    };
    let secret = secret(&rig, "pumps", &rated);
    assert_eq!(crowd(&[&rig], &secret, 80), 20);
    let late = rig.device("pumps", "late", &secret).enroll(&rig);
    let Err(ClientError::Problem(problem)) = late else {
        panic!("{late:?}");
    };
    assert_eq!((problem.status, problem.slug()), (429, "secret-rate"));
    assert_eq!(problem.retry_after_s, Some(180));
    let state = |rig: &Rig| {
        let secrets = rig.admin().secrets("default", "pumps").unwrap().items;
        let rated = secrets.into_iter().find(|one| one.rate.is_some()).unwrap();
        (rated.state, rated.used)
    };
    assert_eq!(state(&rig), (SecretState::RateReached, 20));
    rig.clock.advance(Duration::from_secs(180));
    assert_eq!(state(&rig), (SecretState::Active, 20));
    assert_eq!(crowd(&[&rig], &secret, 5), 1);
    rig.clock.advance(Duration::from_secs(3600));
    assert_eq!(crowd(&[&rig], &secret, 80), 20);
}

fn ask_from(rig: &Rig, name: &str, secret: &str, source: &str) -> Result<(), String> {
    let device = rig.device("pumps", name, secret);
    let asked = Asked {
        tenant: "default".to_owned(),
        group: "pumps".to_owned(),
        secret: enlist_core::ProvisioningSecret::parse(secret).ok(),
        evidence: None,
        name: Some(name.parse().unwrap()),
        hardware: None,
        csr: csr::build(&*device.key, "device").unwrap(),
        token: Some(device.token.clone()),
        ttl: None,
        source: source.parse::<IpAddr>().unwrap(),
    };
    match rig.block_on(rig.ops.enroll(asked)) {
        Ok(EnrollmentOutcome::Enrolled(_)) => Ok(()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.slug().to_owned()),
    }
}

#[test]
fn a_secret_is_good_from_its_networks_and_from_nowhere_else() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let of = |networks: &[&str]| {
        let networks = networks.iter().map(|text| (*text).to_owned()).collect();
        NewSecret {
            networks,
            ..NewSecret::default()
        }
    };
    let bounded = secret(&rig, "pumps", &of(&["10.0.0.0/8", "2001:db8::/32"]));
    for (n, source) in ["10.1.2.3", "::ffff:10.1.2.4", "2001:db8::7"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(ask_from(&rig, &format!("in-{n}"), &bounded, source), Ok(()));
    }
    // Somebody has just got in, so that nobody looks at the group again.
    for (n, source) in ["11.0.0.1", "::ffff:11.0.0.1", "::10.1.2.3", "2001:db9::1"]
        .into_iter()
        .enumerate()
    {
        let refused = ask_from(&rig, &format!("out-{n}"), &bounded, source);
        assert_eq!(refused, Err("secret-network".to_owned()), "{source}");
    }
    let here = secret(&rig, "pumps", &of(&["::ffff:127.0.0.0/104"]));
    rig.enrolled_device("pumps", "here", &here);
    let elsewhere = secret(&rig, "pumps", &of(&["::1", "192.0.2.0/24"]));
    let refused = rig.device("pumps", "there", &elsewhere).enroll(&rig);
    assert_eq!(refusal(refused), "secret-network");
    let shown = rig.admin().secrets("default", "pumps").unwrap().items;
    assert!(shown.iter().any(|one| one.networks == ["127.0.0.0/8"]));
    for wrong in ["10.1.2.3/8", "10.0.0.0/33", "everywhere", ""] {
        let refused = rig.admin().create_secret("default", "pumps", &of(&[wrong]));
        assert_eq!(refusal(refused), "invalid-request", "{wrong}");
    }
}
