//! The hook of the document, as it stands there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use enlist_testkit::{Rig, refusal};
use enlist_wire::{Enrollment, Hardware, HardwareKind, NewHook};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first block of this language in the document.
fn documented(language: &str) -> &'static str {
    let page = include_str!("../../../../docs/hooks.md");
    let block = page.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

/// Starts it; its port comes back.
fn start(dir: &Path, port: &str, secret: &str) -> (Running, String) {
    std::fs::write(dir.join("hook.py"), documented("python")).unwrap();
    let mut child = Command::new("python3")
        .args(["hook.py", port, "cert.pem", "key.pem", secret])
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    let running = Running(child);
    BufReader::new(out).read_line(&mut line).unwrap();
    (running, line.trim().to_owned())
}

#[test]
fn the_python_of_the_document_admits_what_is_on_its_list() {
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("sh")
        .args(["-euc", documented("sh")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // After the certificates, which are good from when they are made.
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    rig.group("line-4", Enrollment::Known);
    // To learn the port that is free; the secret is known only once the hook is made.
    let (first, port) = start(dir.path(), "0", "whsec_AAAA");
    drop(first);
    let hook = NewHook {
        url: format!("https://127.0.0.1:{port}/admit"),
        ca: Some(std::fs::read_to_string(dir.path().join("ca.pem")).unwrap()),
        timeout_ms: 5000,
    };
    let created = rig.admin().create_hook("default", "intake", &hook).unwrap();
    let (_running, same) = start(dir.path(), &port, created.secret.expose());
    assert_eq!(same, port);
    let tested = rig.admin().test_hook("default", "intake").unwrap();
    assert_eq!(tested.error, None);
    assert!(!tested.answer.unwrap().allow, "there is no order for it");
    let device = |name: &str, serial: &str| {
        let mut device = rig.device("intake", name, &secret);
        device.hardware = Some(Hardware {
            kind: HardwareKind::Serial,
            value: serial.to_owned(),
        });
        device
    };
    assert_eq!(
        device("press-1", "SN-0815").enroll(&rig).unwrap().group,
        "line-4"
    );
    let stranger = device("press-2", "SN-0816").enroll(&rig);
    assert_eq!(refusal(stranger), "hook-refused");
    let there = rig.admin().device("default", "line-4", "press-1").unwrap();
    assert_eq!(there.labels["order"], "4711");
    // Somebody else's signature is turned away by it.
    rig.admin().delete_hook("default", "intake").unwrap();
    rig.admin().create_hook("default", "intake", &hook).unwrap();
    let unsigned = device("press-3", "SN-0815").enroll(&rig);
    assert_eq!(refusal(unsigned), "hook-unavailable");
}
