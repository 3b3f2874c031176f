//! `kill -9` of the server at random moments while 2,000 devices enroll: every acknowledged
//! device is there, none is there twice, and no certificate was handed out off record.

#![allow(clippy::unwrap_used)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use enlist_core::{DeviceToken, Rng, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_keys::tls::{ServerTrust, client_config};
use enlist_pki::{Anchors, KeyKind, csr};
use enlist_wire::{
    Binary, CertificatesQuery, Client, ClientError, DeviceState, DevicesQuery, EnrollReply,
    EnrollRequest, Enrolled,
};
use rig::Rig;

const DEVICES: usize = 2_000;
const AT_ONCE: usize = 48;
/// Kills at most; the last devices enroll in peace.
const KILLS: usize = 12;

#[test]
fn killed_at_random_moments_the_server_loses_and_doubles_nothing() {
    let mut rig = Rig::new();
    let secret = rig.ok("enlist add group crowd --enrollment open");
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    let tls = ServerTrust {
        anchors: Anchors::from_pem(&root).unwrap(),
        service_anchors: Anchors::default(),
    };
    let tls = Arc::new(client_config(tls, None, Arc::new(SystemClock)).unwrap());
    let client = Client::new(&rig.url, tls, Duration::from_secs(10)).unwrap();
    let requests = requests(secret.trim());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));

    let acknowledged: BTreeMap<String, Enrolled> = thread::scope(|scope| {
        let devices: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    while let Some(request) = requests.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let enrolled = enroll(&client, request);
                        mine.push((request.name.clone().unwrap(), enrolled));
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                    mine
                })
            })
            .collect();
        let so_far = || done.load(Ordering::SeqCst);
        for kills in 0..KILLS {
            // By how many are done, and not by time alone: machines differ.
            let until = so_far() + usize::try_from(random(1, 120)).unwrap();
            while so_far() < until.min(DEVICES) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(random(0, 5_000)));
            if so_far() == DEVICES {
                assert!(kills >= 3, "too quick to be disturbed: {kills} kills");
                break;
            }
            rig.kill();
            rig.start();
        }
        let each = devices
            .into_iter()
            .flat_map(|device| device.join().unwrap());
        each.collect()
    });
    assert_eq!(acknowledged.len(), DEVICES);

    let token = std::fs::read_to_string(rig.data().join("admin.token")).unwrap();
    let admin = client.with_token(token.trim().to_owned().into());
    let recorded = recorded_devices(&admin);
    let names: BTreeSet<_> = acknowledged.keys().cloned().collect();
    assert_eq!(
        recorded, names,
        "every acknowledged device, once, and no other"
    );

    let mut serials = recorded_serials(&admin);
    for (name, enrolled) in &acknowledged {
        let of_device = serials.remove(name).unwrap_or_default();
        assert_eq!(
            of_device,
            std::slice::from_ref(&enrolled.serial),
            "{name}: its one certificate"
        );
    }
    assert!(serials.is_empty(), "certificates of nobody: {serials:?}");
}

/// What the devices send. Each keeps its key and token, and sends the same until it is answered.
fn requests(secret: &str) -> Vec<EnrollRequest> {
    let request = |number| {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        EnrollRequest {
            tenant: "default".to_owned(),
            group: "crowd".to_owned(),
            secret: Some(secret.to_owned().into()),
            name: Some(format!("device-{number}")),
            hardware: None,
            attestation: None,
            csr: Binary(csr::build(&key, "device").unwrap()),
            device_token: DeviceToken::generate(&SystemRng).expose().to_owned().into(),
            certificate_ttl_h: None,
        }
    };
    (0..DEVICES).map(request).collect()
}

fn enroll(client: &Client, request: &EnrollRequest) -> Enrolled {
    for _ in 0..2_000 {
        match client.enroll(request) {
            Ok(EnrollReply::Enrolled(enrolled)) => return *enrolled,
            Ok(EnrollReply::Pending(_)) => panic!("nobody has to wait in an open group"),
            Err(ClientError::Problem(problem)) if problem.retry_after_s.is_some() => {}
            Err(ClientError::Problem(problem)) => panic!("refused: {problem:?}"),
            Err(_) => {}
        }
        thread::sleep(Duration::from_millis(random(5, 60)));
    }
    panic!("{:?} never got an answer", request.name);
}

fn recorded_devices(admin: &Client) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut query = DevicesQuery {
        limit: Some(1000),
        ..DevicesQuery::default()
    };
    loop {
        let page = admin.devices("default", "crowd", &query).unwrap();
        for device in page.items {
            assert_eq!(device.state, DeviceState::Active);
            assert!(names.insert(device.name), "listed twice");
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return names,
        }
    }
}

fn recorded_serials(admin: &Client) -> BTreeMap<String, Vec<String>> {
    let mut serials: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut query = CertificatesQuery {
        limit: Some(1000),
        ..CertificatesQuery::default()
    };
    loop {
        let page = admin.certificates("default", &query).unwrap();
        for certificate in page.items {
            let of_device = serials.entry(certificate.device).or_default();
            of_device.push(certificate.serial);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return serials,
        }
    }
}

fn random(from: u64, to: u64) -> u64 {
    let mut bytes = [0; 8];
    SystemRng.fill(&mut bytes);
    from + u64::from_le_bytes(bytes) % (to - from)
}
