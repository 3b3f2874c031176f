//! The keys of CAs in a PKCS#11 token (SoftHSM2), which may go away.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use enlist_pki::Certificate;
use enlist_testkit::{FakeDevice, Rig, SoftHsm, refusal};
use enlist_wire::{CertificatesQuery, ClientError, Enrollment, NewTenant, PreEnroll};

/// All certificates of the tenant's that the server has on record.
fn on_record(rig: &Rig) -> usize {
    let all = CertificatesQuery {
        limit: Some(500),
        ..CertificatesQuery::default()
    };
    let page = rig.admin().certificates("default", &all).unwrap();
    page.items.len()
}

fn verifies(rig: &Rig, device: &FakeDevice) {
    let enrolled = device.enrolled.as_ref().unwrap();
    let issuing = Certificate::from_pem(&enrolled.issuing_ca).unwrap();
    let now = enlist_core::Clock::now(&*rig.clock).as_secs();
    enlist_pki::path::verify_issued(&device.certificate(), &issuing, now).unwrap();
    enlist_pki::path::verify_issued(&issuing, &rig.ops.root(), now).unwrap();
}

#[test]
fn while_the_token_is_away_nothing_is_recorded_and_afterwards_all_goes_on() {
    SoftHsm::in_process(
        "while_the_token_is_away_nothing_is_recorded_and_afterwards_all_goes_on",
        |token| {
            let rig = Rig::with_ca_keys(token);
            let secret = rig.group("pumps", Enrollment::Open);
            let mut old = rig.enrolled_device("pumps", "old", &secret);
            verifies(&rig, &old);
            let mut batch: Vec<_> = (1..=6)
                .map(|number| rig.device("pumps", &format!("pump-{number}"), &secret))
                .collect();
            for device in &mut batch[..3] {
                device.enroll(&rig).unwrap();
            }

            token.unplug();
            let before = on_record(&rig);
            for device in &mut batch[3..] {
                let Err(ClientError::Problem(problem)) = device.enroll(&rig) else {
                    panic!("enrolled without a key to sign with");
                };
                assert_eq!(problem.slug(), "signer-unavailable");
                assert_eq!((problem.status, problem.retry_after_s), (503, Some(5)));
                assert!(!problem.detail.contains("pkcs11"), "{}", problem.detail);
            }
            assert_eq!(refusal(old.renew(&rig)), "signer-unavailable");
            let ahead = || {
                let asked = PreEnroll::default();
                rig.admin().pre_enroll("default", "pumps", "ahead", &asked)
            };
            assert_eq!(refusal(ahead()), "signer-unavailable");
            let tenant = NewTenant {
                name: "acme".to_owned(),
                request_ca: false,
            };
            assert_eq!(
                refusal(rig.admin().create_tenant(&tenant)),
                "signer-unavailable"
            );
            // What needs no signature is answered as ever.
            old.client(&rig).device_self().unwrap();
            assert_eq!(on_record(&rig), before);

            token.plug_in();
            for device in &mut batch {
                // The first three get what is on record for them.
                device.enroll(&rig).unwrap();
                verifies(&rig, device);
            }
            old.renew(&rig).unwrap();
            ahead().unwrap();
            rig.admin().create_tenant(&tenant).unwrap();
            assert_eq!(
                on_record(&rig),
                before + 5,
                "three, a renewal, and one ahead"
            );
        },
    );
}

#[test]
fn a_token_that_comes_and_goes_under_load_leaves_one_certificate_a_device() {
    const EACH: usize = 12;
    SoftHsm::in_process(
        "a_token_that_comes_and_goes_under_load_leaves_one_certificate_a_device",
        |token| {
            let rig = Rig::with_ca_keys(token);
            let secret = rig.group("pumps", Enrollment::Open);
            let refused = AtomicUsize::new(0);
            let ended = AtomicBool::new(false);
            let begun = Instant::now();
            std::thread::scope(|scope| {
                let lines: Vec<_> = (0..4)
                    .map(|line| {
                        let (rig, secret, refused) = (&rig, &secret, &refused);
                        scope.spawn(move || {
                            for number in 0..EACH {
                                let name = format!("pump-{line}-{number}");
                                let mut device = rig.device("pumps", &name, secret);
                                while device.enrolled.is_none() {
                                    assert!(begun.elapsed() < Duration::from_secs(60));
                                    match device.enroll(rig) {
                                        Ok(_) => verifies(rig, &device),
                                        failed => {
                                            assert_eq!(refusal(failed), "signer-unavailable");
                                            refused.fetch_add(1, Ordering::Relaxed);
                                        }
                                    }
                                }
                            }
                        })
                    })
                    .collect();
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        token.unplug();
                        std::thread::sleep(Duration::from_millis(30));
                        token.plug_in();
                        std::thread::sleep(Duration::from_millis(60));
                    }
                });
                // However it went for them: otherwise the token would come and go for ever.
                let went: Vec<_> = lines.into_iter().map(ScopedJoinHandle::join).collect();
                ended.store(true, Ordering::Relaxed);
                assert!(went.iter().all(Result::is_ok));
            });
            assert!(refused.load(Ordering::Relaxed) > 0, "it was never missed");
            assert_eq!(on_record(&rig), 4 * EACH);
        },
    );
}

#[test]
fn a_token_that_hangs_keeps_nobody_waiting_who_does_not_need_it() {
    SoftHsm::in_process(
        "a_token_that_hangs_keeps_nobody_waiting_who_does_not_need_it",
        |token| {
            let rig = Rig::with_ca_keys(token);
            let secret = rig.group("pumps", Enrollment::Open);
            let old = rig.enrolled_device("pumps", "old", &secret);
            let before = on_record(&rig);
            let device = |number| rig.device("pumps", &format!("pump-{number}"), &secret);
            let mut batch: Vec<_> = (1..=60).map(device).collect();

            // Pulled out in between, so that it has to be logged into.
            token.unplug();
            assert_eq!(refusal(batch[0].enroll(&rig)), "signer-unavailable");
            token.hang();
            token.plug_in();
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for device in &mut batch {
                    let rig = &rig;
                    scope.spawn(move || {
                        assert_eq!(refusal(device.enroll(rig)), "signer-unavailable");
                    });
                }
                for _ in 0..20 {
                    let asked = Instant::now();
                    old.client(&rig).device_self().unwrap();
                    let took = asked.elapsed();
                    assert!(took < Duration::from_secs(3), "{took:?}");
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(25), "{took:?}");
            assert_eq!(on_record(&rig), before);

            token.resume();
            let begun = Instant::now();
            while batch[0].enroll(&rig).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(20));
                std::thread::sleep(Duration::from_millis(100));
            }
            for device in &mut batch {
                device.enroll(&rig).unwrap();
                verifies(&rig, device);
            }
            assert_eq!(on_record(&rig), before + batch.len());
        },
    );
}
