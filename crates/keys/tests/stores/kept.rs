//! A token whose sessions stay open, as servers have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::softhsm::SoftHsm;
use enlist_pki::{KeyKind, Signer};

use crate::bench::Bench;
use crate::promises::words;

#[test]
fn a_token_is_logged_into_once_and_signs_for_many_threads() {
    SoftHsm::in_process(
        "kept::a_token_is_logged_into_once_and_signs_for_many_threads",
        |token| {
            let bench = Bench::new(&token.key_store());
            let mut store = bench.kept();
            let keys = [KeyKind::P256, KeyKind::P384].map(|kind| {
                let reference = store.make(kind).unwrap();
                store.open(&reference).unwrap()
            });
            // More threads than there are sessions, and nobody logs in any more.
            token.set_pin("changed");
            std::thread::scope(|scope| {
                for thread in 0..24 {
                    let key = &keys[thread % 2];
                    scope.spawn(move || {
                        for message in 0..20_u8 {
                            key.sign(&[message]).unwrap();
                        }
                    });
                }
            });
        },
    );
}

#[test]
fn a_token_that_goes_away_under_load_fails_what_asks_and_signs_again_when_it_is_back() {
    SoftHsm::in_process(
        "kept::a_token_that_goes_away_under_load_fails_what_asks_and_signs_again_when_it_is_back",
        |token| {
            let bench = Bench::new(&token.key_store());
            let mut store = bench.kept();
            let reference = store.make(KeyKind::P256).unwrap();
            let key = store.open(&reference).unwrap();
            let signed = AtomicUsize::new(0);
            let failed = AtomicUsize::new(0);
            let sign = |key: &Arc<dyn Signer>| match key.sign(b"message") {
                Ok(signature) => {
                    key.public_key().verify(b"message", &signature).unwrap();
                    signed.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let said = words(&error);
                    let away = said.contains("plug") || said.contains("does not hold this key");
                    assert!(away, "{said}");
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            };
            let until = |more: &AtomicUsize, count| {
                let begun = more.load(Ordering::Relaxed);
                while more.load(Ordering::Relaxed) < begun + count {
                    sign(&key);
                }
            };
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        while !ended.load(Ordering::Relaxed) {
                            sign(&key);
                        }
                    });
                }
                until(&signed, 50);
                for _ in 0..3 {
                    token.unplug();
                    until(&failed, 10);
                    token.plug_in();
                    until(&signed, 50);
                }
                ended.store(true, Ordering::Relaxed);
            });
            store.open(&reference).unwrap().sign(b"").unwrap();
        },
    );
}
