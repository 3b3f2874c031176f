//! Connections that are kept: what is put aside while nothing is asked goes on as if nothing had been.

#![allow(clippy::unwrap_used)]

use std::thread;
use std::time::{Duration, Instant};

use enlist_testkit::{Kept, Rig};

/// Long enough for a connection to be put aside, whenever it is looked at.
const A_WHILE: Duration = Duration::from_millis(3_500);

fn kept(rig: &Rig) -> Kept {
    Kept::open(rig.tls(), rig.address())
}

/// It was answered well, and the connection goes on.
fn assert_kept(answer: &str) {
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(!answer.contains("connection: close"), "{answer}");
}

#[test]
fn who_asks_now_and_then_keeps_the_connection() {
    let rig = Rig::new();
    let mut kept = kept(&rig);
    for _ in 0..3 {
        assert_kept(&kept.ask("/healthz"));
        assert_kept(&kept.ask("/v1/time"));
        thread::sleep(A_WHILE);
    }
    assert_kept(&kept.ask("/healthz"));
}

#[test]
fn who_has_connected_ahead_is_waited_for() {
    let rig = Rig::new();
    let mut kept = kept(&rig);
    kept.greet();
    thread::sleep(A_WHILE);
    assert_kept(&kept.ask("/healthz"));
    assert_kept(&kept.ask("/v1/time"));
}

#[test]
fn half_a_request_is_waited_for() {
    let rig = Rig::new();
    let mut kept = kept(&rig);
    assert_kept(&kept.ask("/healthz"));
    let request = Kept::request("/v1/time");
    let (one, other) = request.split_at(request.len() / 2);
    kept.send(one);
    thread::sleep(A_WHILE);
    kept.send(other);
    assert_kept(&kept.answer());
    thread::sleep(A_WHILE);
    // And so is one that begins while the connection is aside.
    kept.send(one);
    thread::sleep(A_WHILE);
    kept.send(other);
    assert_kept(&kept.answer());
}

#[test]
fn requests_that_come_together_are_all_answered() {
    let rig = Rig::new();
    let mut kept = kept(&rig);
    for _ in 0..2 {
        kept.send(&Kept::request("/healthz").repeat(5));
        for _ in 0..5 {
            assert_kept(&kept.answer());
        }
        thread::sleep(A_WHILE);
    }
}

#[test]
fn what_is_aside_ends_with_the_server() {
    let rig = Rig::new();
    let mut kept: Vec<_> = (0..3).map(|_| kept(&rig)).collect();
    for one in &mut kept {
        assert_kept(&one.ask("/healthz"));
    }
    thread::sleep(A_WHILE);
    let begun = Instant::now();
    drop(rig);
    assert!(begun.elapsed() < Duration::from_millis(1_500));
    for one in &mut kept {
        one.expect_end();
    }
}
