//! Other programs get certificate and key, and nothing waits for them.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::fs;
use std::sync::atomic::Ordering;

use common::Rig;
use enlist_agent::export::Export;
use enlist_agent::machine::Note;
use enlist_keys::FileKey;
use enlist_pki::Signer;

fn exported_pair_fits(export: &Export) -> String {
    let read = |file: &str| fs::read_to_string(export.current().join(file)).unwrap();
    let key = FileKey::from_pkcs8_pem(&read("key.pem")).unwrap();
    let chain = enlist_pki::chain_from_pem(&read("certificate.pem")).unwrap();
    assert_eq!(chain[0].spki_der(), key.public_key().spki_der());
    read("ca.pem");
    chain[0].serial_hex()
}

#[test]
fn programs_get_each_new_certificate_and_again_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let export = Export::new(home.path().join("credentials"), None);
    let mut rig = Rig::new();
    rig.export = Some(export.clone());
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let first = exported_pair_fits(&export);
    agent.renew_now();
    rig.settle(&mut agent);
    let second = exported_pair_fits(&export);
    assert_ne!(first, second);
    // What is in memory is gone with the power.
    drop(agent);
    fs::remove_dir_all(export.directory()).unwrap();
    let mut agent = rig.start();
    rig.until(&mut agent, |_| export.current().exists());
    assert_eq!(exported_pair_fits(&export), second);
}

#[test]
fn a_directory_that_cant_be_written_keeps_no_device_from_renewing() {
    let home = tempfile::tempdir().unwrap();
    let blocked = home.path().join("blocked");
    fs::write(&blocked, "no directory").unwrap();
    let export = Export::new(blocked.join("credentials"), None);
    let mut rig = Rig::new();
    rig.export = Some(export.clone());
    let mut agent = rig.start();
    let mut notes = rig.settle(&mut agent);
    agent.renew_now();
    notes.extend(rig.settle(&mut agent));
    let told = notes
        .iter()
        .filter(|note| matches!(note, Note::NotExported { .. }))
        .count();
    assert!((1..=2).contains(&told), "{notes:?}");
    rig.check_settled(&agent);

    fs::remove_file(&blocked).unwrap();
    let before = rig.hooks_run.load(Ordering::Relaxed);
    rig.until(&mut agent, |_| export.current().exists());
    exported_pair_fits(&export);
    assert!(
        rig.hooks_run.load(Ordering::Relaxed) > before,
        "the hooks run once more, now that there is something to find"
    );
}
