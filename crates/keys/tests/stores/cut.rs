//! A TPM whose connection breaks at any command, before it has done it or after.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use enlist_keys::{KeyStore, KeyStoreError};
use enlist_pki::KeyKind;
use tempfile::TempDir;

use crate::attestation::{attestor, sessions};
use crate::bench::Bench;
use crate::swtpm::Swtpm;

/// Stands between a store and its TPM.
struct Cutter {
    directory: TempDir,
    /// How many commands still come through.
    left: Arc<AtomicI32>,
}

/// Where it cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The command is lost.
    Before,
    /// The command is done and its response lost.
    After,
}

impl Cutter {
    fn new(tpm: &Swtpm, commands: i32, cut: Cut) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        let left = Arc::new(AtomicI32::new(commands));
        let behind = socket(&tpm.key_store());
        let counter = Arc::clone(&left);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &behind, &counter, cut);
            }
        });
        Self { directory, left }
    }

    fn key_store(&self) -> String {
        let path = self.directory.path().join("socket");
        format!("tpm:swtpm={}", path.display())
    }

    /// Whether anything was cut.
    fn has_cut(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

fn serve(mut client: UnixStream, behind: &Path, left: &AtomicI32, cut: Cut) {
    let mut tpm = UnixStream::connect(behind).unwrap();
    let mut bytes = [0; 4096];
    loop {
        // Commands and responses are small and each is written at once.
        let length = client.read(&mut bytes).unwrap_or(0);
        let last = left.fetch_sub(1, Ordering::SeqCst) <= 0;
        if length == 0 {
            left.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if last && cut == Cut::Before {
            return;
        }
        tpm.write_all(&bytes[..length]).unwrap();
        let length = tpm.read(&mut bytes).unwrap();
        if last || client.write_all(&bytes[..length]).is_err() {
            return;
        }
    }
}

fn socket(key_store: &str) -> PathBuf {
    key_store.strip_prefix("tpm:swtpm=").unwrap().into()
}

/// Does something again and again, cut off later each time, until it is not cut any more.
/// Returns how many commands it takes.
fn cut_everywhere(tpm: &Swtpm, cut: Cut, story: impl Fn(&Cutter)) -> i32 {
    for commands in 0..60 {
        let cutter = Cutter::new(tpm, commands, cut);
        story(&cutter);
        if !cutter.has_cut() {
            return commands;
        }
    }
    panic!("it never ends");
}

#[test]
fn a_key_whose_making_was_cut_off_is_swept_and_the_next_is_made() {
    let Some(tpm) = Swtpm::start() else { return };
    let whole = Bench::new(&tpm.key_store());
    let kept = whole.store().make(KeyKind::P256).unwrap();
    for cut in [Cut::Before, Cut::After] {
        let commands = cut_everywhere(&tpm, cut, |cutter| {
            let made = Bench::new(&cutter.key_store()).store().make(KeyKind::P256);
            assert!(made.as_ref().is_err_and(KeyStoreError::is_transient) || !cutter.has_cut());
            // As after a start: whatever was not kept goes.
            let keep = [kept.clone()];
            assert!(whole.store().sweep(&keep).unwrap() <= 1);
            assert_eq!(tpm.persistent(), [0x8101_8000]);
            let key = whole.store().open(&kept).unwrap();
            key.sign(b"").unwrap();
            let next = whole.store().make(KeyKind::P256).unwrap();
            whole.store().destroy(&next).unwrap();
        });
        assert!(commands > 5, "{commands}");
    }
}

#[test]
fn a_destruction_that_was_cut_off_is_done_again() {
    let Some(tpm) = Swtpm::start() else { return };
    let whole = Bench::new(&tpm.key_store());
    for cut in [Cut::Before, Cut::After] {
        cut_everywhere(&tpm, cut, |cutter| {
            let key = whole.store().make(KeyKind::P256).unwrap();
            let done = Bench::new(&cutter.key_store()).store().destroy(&key);
            assert_eq!(done.is_ok(), !cutter.has_cut());
            whole.store().destroy(&key).unwrap();
            assert!(tpm.persistent().is_empty());
        });
    }
}

#[test]
fn a_proof_that_was_cut_off_is_made_again() {
    let Some(tpm) = Swtpm::start_endorsed() else {
        return;
    };
    let key = Bench::new(&tpm.key_store()).store().make(KeyKind::P256);
    let key = key.unwrap();
    let whole = attestor(&tpm.key_store());
    let said = whole.endorsement().unwrap();
    for cut in [Cut::Before, Cut::After] {
        let commands = cut_everywhere(&tpm, cut, |cutter| {
            let through = attestor(&cutter.key_store());
            let done = through
                .certify(&key, &[1; 32])
                .and_then(|_| through.endorsement());
            match &done {
                Ok(again) => assert_eq!(*again, said),
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
            assert_eq!(done.is_ok(), !cutter.has_cut());
            // What is left loaded is in nobody's way.
            whole.certify(&key, &[2; 32]).unwrap();
        });
        assert!(commands > 10, "{commands}");
    }
    assert_eq!(whole.endorsement().unwrap(), said);
}

#[test]
fn sessions_and_keys_that_killed_programs_left_behind_make_room() {
    let Some(tpm) = Swtpm::start() else { return };
    let start_session = [
        0x80, 0x01, 0, 0, 0, 43, 0, 0, 0x01, 0x76, // TPM2_StartAuthSession
        0x40, 0, 0, 7, 0x40, 0, 0, 7, // with no key, for nothing
        0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // a nonce
        0, 0, 1, 0, 0x10, 0, 0x0b, // no salt, a policy, no cipher, SHA-256
    ];
    let mut refused = false;
    for _ in 0..100 {
        refused |= tpm.raw(&start_session)[6..10] != [0; 4];
        tpm.raw(crate::tpm::CREATE_PRIMARY);
    }
    assert!(refused, "there is no room for another");
    let attestor = attestor(&tpm.key_store());
    let said = attestor.endorsement().unwrap();
    let none = attestor.activate(&[0, 1, 0], &[0, 1, 0]).unwrap_err();
    assert!(none.to_string().contains("challenge"), "{none}");
    assert_eq!(attestor.endorsement().unwrap(), said);
    assert_eq!((tpm.transient(), sessions(&tpm)), (0, 0));
}

#[test]
fn a_sealing_that_was_cut_off_leaves_no_half_wrapping_key() {
    let Some(tpm) = Swtpm::start() else { return };
    let words = |key_store: &str| key_store.replacen("tpm:", "file:wrapping=tpm;", 1);
    for cut in [Cut::Before, Cut::After] {
        let commands = cut_everywhere(&tpm, cut, |cutter| {
            let bench = Bench::new(&words(&cutter.key_store()));
            let made = bench.store().make(KeyKind::P256);
            assert_eq!(made.is_ok(), !cutter.has_cut());
            let whole = Bench::new(&words(&tpm.key_store()));
            let whole = whole.store_in(bench.directory());
            usable(whole);
        });
        assert!(commands > 5, "{commands}");
    }
}

fn usable(mut store: Box<dyn KeyStore>) {
    let reference = store.make(KeyKind::P256).unwrap();
    store.open(&reference).unwrap().sign(b"").unwrap();
}
