//! `kill -9` of the agent at each of the system calls by which it writes and speaks.
//!
//! strace delivers the signal: at the N-th of those calls, for every N until one run gets through.

use super::{Ran, Rig};

/// What changes a file, or sends, or receives. strace counts each of them by itself.
const CALLS: [&str; 16] = [
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "sendto",
    "recvfrom",
];
/// More of one kind than there can be.
const MOST: usize = 200;

/// Runs `attempt` for each call and each of its invocations, until one gets through. Says how
/// many did not.
pub fn at_every_step(mut attempt: impl FnMut(&str, usize) -> bool) -> usize {
    CALLS
        .iter()
        .map(|call| {
            let through = (1..MOST).find(|step| attempt(call, *step));
            through.unwrap_or_else(|| panic!("{call} has no end")) - 1
        })
        .sum()
}

/// A server, where strace is installed; under `CI=true` it has to be.
pub fn rig() -> Option<Rig> {
    let installed = std::process::Command::new("strace")
        .arg("-V")
        .output()
        .is_ok();
    if !installed {
        let note = "strace is not installed";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
        return None;
    }
    Some(Rig::new())
}

/// The configuration of a device of the group `crashes`, with more fields where they are needed.
pub fn configuration(rig: &Rig, name: &str, secret: &str) {
    configuration_with(rig, name, secret, &serde_json::json!({}));
}

/// The same with more fields.
pub fn configuration_with(rig: &Rig, name: &str, secret: &str, more: &serde_json::Value) {
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    let mut configuration = serde_json::json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": [root],
        "group": "crashes",
        "name": name,
        "hardware_id": name,
        "persistent_directory": rig.work().join(format!("{name}.state")),
        "device_enrollment_token": secret,
    });
    let fields = configuration.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    rig.write(&format!("{name}.json"), &configuration.to_string());
}

/// Runs a command that is killed at this invocation of that call.
pub fn killed_at(rig: &Rig, call: &str, step: usize, command: &str) -> Ran {
    rig.sh(&format!(
        "exec strace -f -qq -o strace.log -e trace={call} -e inject={call}:signal=KILL:when={step} {command}"
    ))
}
