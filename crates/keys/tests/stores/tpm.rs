//! What is peculiar to TPMs.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use crate::swtpm::Swtpm;
use enlist_keys::KeyStoreError;
use enlist_pki::{KeyKind, SignError};

use crate::bench::Bench;
use crate::promises::words;
use crate::tls;

#[test]
fn keys_are_persistent_in_our_range_and_survive_a_restart() {
    let Some(mut tpm) = Swtpm::start() else {
        return;
    };
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    assert!(reference.as_str().starts_with("tpm:0x81018000;sha256="));
    let key = bench.store().open(&reference).unwrap();
    tpm.stop();
    let dead = key.sign(b"").unwrap_err();
    assert!(
        words(&dead).contains("start swtpm there"),
        "{}",
        words(&dead)
    );
    let dead = bench.store().open(&reference).err().unwrap();
    assert!(dead.is_transient(), "{dead}");
    tpm.bring_back();
    // A key that was open before goes on as well as one that is opened now.
    for key in [key, bench.store().open(&reference).unwrap()] {
        tls::handshake_with(&key, &rustls::version::TLS13).unwrap();
    }
    assert_eq!(tpm.persistent(), [0x8101_8000]);
    assert_eq!(tpm.transient(), 0);
}

#[test]
fn another_boards_tpm_is_noticed() {
    let Some(mut tpm) = Swtpm::start() else {
        return;
    };
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    let key = bench.store().open(&reference).unwrap();
    tpm.replace();
    let gone = bench.store().open(&reference).err().unwrap();
    assert!(matches!(gone, KeyStoreError::Gone(_)), "{gone}");
    // The other board's agent has a key at the same place.
    bench.store().make(KeyKind::P256).unwrap();
    let other = bench.store().open(&reference).err().unwrap();
    assert!(words(&other).contains("from another board"), "{other}");
    let Err(SignError::Failed(other)) = key.sign(b"") else {
        panic!("signed with another key");
    };
    assert!(other.to_string().contains("from another board"), "{other}");
    // Nor is its key destroyed in the name of ours.
    bench.store().destroy(&reference).unwrap();
    assert_eq!(tpm.persistent().len(), 1);
}

#[test]
fn a_full_range_says_what_to_do_and_a_sweep_makes_room() {
    let Some(tpm) = Swtpm::start() else { return };
    let range = ";handles=0x81020000-0x81020001";
    let bench = Bench::new(&format!("{}{range}", tpm.key_store()));
    let mut store = bench.store();
    let kept = store.make(KeyKind::P256).unwrap();
    let outside = Bench::new(&tpm.key_store()).store().make(KeyKind::P256);
    store.make(KeyKind::P256).unwrap();
    let full = store.make(KeyKind::P256).unwrap_err();
    assert!(matches!(full, KeyStoreError::Full { .. }));
    assert!(full.to_string().contains("handles="), "{full}");
    assert_eq!(store.sweep(&[kept]).unwrap(), 1);
    store.make(KeyKind::P256).unwrap();
    // Other ranges are other programs'.
    Bench::new(&tpm.key_store())
        .store()
        .open(&outside.unwrap())
        .unwrap();
    assert_eq!(tpm.transient(), 0);
}

#[test]
fn a_tpm_that_nobody_started_is_started() {
    let Some(tpm) = Swtpm::start_unstarted() else {
        return;
    };
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    bench.store().open(&reference).unwrap().sign(b"").unwrap();
}

#[test]
fn a_tpm_is_reached_over_tcp_too() {
    let Some(tpm) = Swtpm::start_tcp() else {
        return;
    };
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    bench.store().open(&reference).unwrap().sign(b"").unwrap();
    assert_eq!(tpm.transient(), 0);
}

/// `TPM2_CreatePrimary` in the owner hierarchy: a P-256 storage key, as the TCG has it.
pub const CREATE_PRIMARY: &[u8] = &[
    0x80,
    0x02,
    0,
    0,
    0,
    0x43 + 64,
    0,
    0,
    0x01,
    0x31,
    0x40,
    0,
    0,
    1, // header, owner
    0,
    0,
    0,
    9,
    0x40,
    0,
    0,
    9,
    0,
    0,
    0,
    0,
    0, // an empty password
    0,
    4,
    0,
    0,
    0,
    0, // nothing sensitive
    0,
    0x1a + 64,
    0,
    0x23,
    0,
    0x0b,
    0,
    3,
    4,
    0x72,
    0,
    0, // ECC, SHA-256, attributes, no policy
    0,
    6,
    0,
    0x80,
    0,
    0x43,
    0,
    0x10,
    0,
    3,
    0,
    0x10, // AES-128-CFB, P-256
    0,
    32,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, // x
    0,
    32,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, // y
    0,
    0,
    0,
    0,
    0,
    0, // no outside info, no PCRs
];

#[test]
fn what_killed_programs_left_loaded_does_not_stop_us() {
    let Some(tpm) = Swtpm::start() else { return };
    for _ in 0..3 {
        let made = tpm.raw(CREATE_PRIMARY);
        assert_eq!(made[6..10], [0; 4], "{made:02x?}");
    }
    assert_eq!(tpm.transient(), 3);
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    bench.store().open(&reference).unwrap().sign(b"").unwrap();
    assert_eq!(tpm.transient(), 0);
}

/// `TPM2_EvictControl` of the first transient object to the TCG's handle.
pub const PERSIST: &[u8] = &[
    0x80, 0x02, 0, 0, 0, 0x23, 0, 0, 0x01, 0x20, 0x40, 0, 0, 1, 0x80, 0, 0, 0, // object
    0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, // an empty password
    0x81, 0, 0, 1,
];

#[test]
fn the_persistent_storage_root_key_is_used_where_there_is_one() {
    let Some(mut tpm) = Swtpm::start() else {
        return;
    };
    tpm.raw(CREATE_PRIMARY);
    let kept = tpm.raw(PERSIST);
    assert_eq!(kept[6..10], [0; 4], "{kept:02x?}");
    tpm.stop();
    tpm.bring_back();
    let bench = Bench::new(&tpm.key_store());
    let reference = bench.store().make(KeyKind::P256).unwrap();
    bench.store().open(&reference).unwrap().sign(b"").unwrap();
    assert_eq!(tpm.persistent(), [0x8100_0001, 0x8101_8000]);
    assert_eq!(tpm.transient(), 0);
}

/// Answers every connection in the same way.
fn answering(answer: &'static [u8]) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    (directory, format!("tpm:swtpm={}", path.display()))
}

#[test]
fn what_is_no_tpm_is_refused_whatever_it_answers() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0x80, 0x01, 0, 0, 0, 10, 0, 0],
        &[0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0],
        &[0x80, 0x01, 0, 0, 0, 9, 0, 0, 0, 0],
        &[0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        &[0x80, 0x02, 0, 0, 0, 14, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        // One handle of a list that says it has many.
        &[
            0x80, 0x01, 0, 0, 0, 23, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 200, 0x81, 1, 0x80, 0,
        ],
    ] {
        let (_directory, words_of_it) = answering(answer);
        let bench = Bench::new(&words_of_it);
        let error = bench.store().make(KeyKind::P256).unwrap_err();
        assert!(error.is_transient(), "{answer:02x?}: {}", words(&error));
    }
}

#[test]
fn a_tpm_that_lists_in_circles_is_left() {
    // More to come, it says each time, and gives the same handle.
    let (_directory, words_of_it) = answering(&[
        0x80, 0x01, 0, 0, 0, 23, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x81, 1, 0x7f, 0xff,
    ]);
    let bench = Bench::new(&words_of_it);
    assert_eq!(bench.store().sweep(&[]).unwrap(), 0);
}

#[test]
fn a_tpm_that_is_silent_is_given_up_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    // Connections are taken, by the kernel, and nothing more.
    let _listener = UnixListener::bind(&path).unwrap();
    let bench = Bench::new(&format!("tpm:swtpm={}", path.display()));
    let error = bench.store().make(KeyKind::P256).unwrap_err();
    assert!(error.is_transient(), "{}", words(&error));
}

#[test]
fn a_machine_without_a_tpm_says_so() {
    let bench = Bench::new("tpm:device=/dev/no-such-tpm");
    let error = bench.store().make(KeyKind::P256).unwrap_err();
    assert!(
        words(&error).contains("turn the TPM on"),
        "{}",
        words(&error)
    );
}
