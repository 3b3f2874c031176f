//! The agent's own files, cut short at every byte: nothing half-read is ever gone by.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::Rig;
use enlist_agent::config::Configuration;
use enlist_agent::disk::{Disk, MemoryDisk, Vault};
use enlist_agent::machine::State;
use enlist_core::Timestamp;
use serde_json::json;

#[test]
fn a_configuration_file_cut_short_at_any_byte_is_refused_with_its_name() {
    let rig = Rig::new();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.json");
    let identity = home.path().join("identity.json");
    let base = json!({
        "schema_version": 1,
        "server_url": "https://server.test",
        "trust_anchors_pem": [rig.server.borrow().root_pem()],
        "name_prefix": "press",
        "persistent_directory": home.path().join("state"),
        "hooks": {"after_renew": ["true"], "configuration_check": ["true", "--check"]},
        "identity_path": identity,
    });
    let base = serde_json::to_vec_pretty(&base).unwrap();
    let own = br#"{"name": "press-1", "hardware_id": {"source": "mac"}}"#;
    std::fs::write(&path, &base).unwrap();
    std::fs::write(&identity, own).unwrap();
    Configuration::load(&path).unwrap();
    for (file, whole) in [(&path, &base[..]), (&identity, &own[..])] {
        for at in 0..whole.len() {
            std::fs::write(file, &whole[..at]).unwrap();
            let refused = Configuration::load(&path).unwrap_err().to_string();
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(refused.contains(name), "{name} at {at}: {refused}");
        }
        std::fs::write(file, whole).unwrap();
    }
    Configuration::load(&path).unwrap();
}

#[test]
fn a_state_cut_short_at_any_byte_is_not_gone_on_from_and_whole_again_it_is() {
    let (rig, agent) = Rig::enrolled();
    drop(agent);
    let whole = rig.disk.borrow().read("state.json").unwrap().unwrap();
    let end = whole.trim_ascii_end().len();
    for at in 0..end {
        assert!(State::from_json(&whole[..at]).is_err(), "{at}");
    }
    rig.disk
        .borrow_mut()
        .write("state.json", &whole[..end / 2])
        .unwrap();
    assert!(rig.try_start().is_err());
    rig.disk.borrow_mut().write("state.json", &whole).unwrap();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

/// What the agent keeps for its own comfort: without it, or with half of it, the device goes on.
#[test]
fn notes_cut_short_at_any_byte_keep_nothing_from_working() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().suspend(true);
    let end = rig.now() + common::DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    rig.server.borrow_mut().suspend(false);
    drop(agent);
    let whole: MemoryDisk = rig.disk.borrow().clone();
    for file in ["trouble.json", "identity.json"] {
        let content = whole.read(file).unwrap().unwrap();
        for at in 0..content.len() {
            *rig.disk.borrow_mut() = whole.clone();
            rig.clock.set(Timestamp::from_secs(end));
            rig.disk.borrow_mut().write(file, &content[..at]).unwrap();
            let mut agent = rig.start();
            let start = rig.now();
            rig.until(&mut agent, |_| rig.now() > start + 2 * common::HOUR);
            assert!(agent.machine().trouble().is_none(), "{file} at {at}");
            let vault = Vault::new(rig.disk.borrow().clone());
            assert!(vault.trouble().unwrap().is_none(), "{file} at {at}");
        }
    }
}
