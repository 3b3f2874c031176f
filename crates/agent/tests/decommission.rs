//! `enlist-agent decommission`, as it is typed on a device that has never reached its server.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use enlist_agent::disk::FileDisk;
use enlist_agent::wipe::{self, Order};
use enlist_core::Timestamp;
use enlist_signed::OrderedBy;
use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    /// A device with user data, whose server nobody is.
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let config = json!({
            "schema_version": 1,
            // Port 1 refuses at once.
            "server_url": "https://localhost:1",
            "trust_anchors_pem": include_str!("root.pem"),
            "persistent_directory": home.path("agent"),
            "name": "press-1",
            "hardware_id": "PC0A1B2C",
            "wipe_paths": [home.path("data")],
            "hooks": { "before_wipe": [format!("touch {}", home.path("hook-ran").display())] },
        });
        fs::write(home.path("config.json"), config.to_string()).unwrap();
        fs::create_dir(home.path("data")).unwrap();
        fs::write(home.path("data/secret"), "secret").unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_enlist-agent"))
            .args(arguments)
            .args(["-c", "config.json"])
            .current_dir(self.0.path())
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.start(arguments).wait_with_output().unwrap();
        let json = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
        (
            status.code().unwrap(),
            json,
            String::from_utf8(stderr).unwrap(),
        )
    }

    fn begin(&self) {
        let mut disk = FileDisk::open(&self.path("agent")).unwrap();
        let order = Order {
            by: OrderedBy::Button,
            command: None,
            reason: None,
            keep_copy: false,
        };
        wipe::begin(&mut disk, &order, Timestamp::from_secs(1_800_000_000)).unwrap();
    }
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(50));
    }
}

fn end(mut child: Child) -> String {
    child.kill().unwrap();
    child.wait().unwrap();
    let mut words = String::new();
    child.stderr.unwrap().read_to_string(&mut words).unwrap();
    words
}

#[test]
fn nothing_is_wiped_that_nobody_confirmed() {
    let home = Home::new();
    let (exit, _, words) = home.run(&["decommission"]);
    assert_eq!(exit, 2, "{words}");
    assert!(words.contains("--yes"), "{words}");
    assert!(home.path("data/secret").exists());
    assert!(!home.path("agent/wipe.json").exists());
}

#[test]
fn a_device_is_wiped_by_its_command_line() {
    let home = Home::new();
    let (exit, json, words) = home.run(&["decommission", "--yes", "-o", "json"]);
    assert_eq!(exit, 0, "{words}");
    assert_eq!(json["wiped"], true);
    assert_eq!(json["receipt"], Value::Null, "it never enrolled");
    let data = format!("path:{}", home.path("data").display());
    assert_eq!(
        json["erased"][1],
        json!({ "what": data, "result": "erased" })
    );
    assert!(!home.path("data").exists() && home.path("hook-ran").exists());
    let left: Vec<_> = fs::read_dir(home.path("agent")).unwrap().collect();
    assert_eq!(left.len(), 1, "the lock alone: {left:?}");
    assert_eq!(home.run(&["status", "-o", "json"]).1["state"], "new");
}

#[test]
fn the_agent_at_work_is_asked_and_does_it() {
    let home = Home::new();
    let agent = home.start(&["run"]);
    wait_for("it enrolls", || home.path("agent/state.json").exists());
    let (exit, json, words) = home.run(&["decommission", "--yes", "-o", "json"]);
    let said = end(agent);
    assert_eq!(exit, 0, "{words}{said}");
    assert_eq!(json["wiped"], true);
    assert!(!home.path("data").exists());
    assert!(!home.path("agent/wipe.json").exists());
    assert!(said.contains("this device is clean"), "{said}");
}

#[test]
fn a_wipe_that_was_cut_short_goes_on_with_the_next_start_and_nothing_else_does() {
    let home = Home::new();
    home.begin();
    let (exit, json, _) = home.run(&["status", "-o", "json"]);
    assert_eq!((exit, &json["state"]), (1, &json!("wiping")));
    assert_eq!(json["ordered_by"], "button");
    for command in [
        &["provision", "--wait", "0"][..],
        &["renew"],
        &["config", "reset"],
    ] {
        let (exit, _, words) = home.run(command);
        assert_eq!(exit, 1, "{command:?}: {words}");
        assert!(words.contains("is being wiped"), "{command:?}: {words}");
        assert!(home.path("data/secret").exists());
    }
    let (_, report, words) = home.run(&["doctor", "-o", "json"]);
    let checks = report["checks"].as_array().unwrap();
    let enrollment = checks.iter().find(|one| one["check"] == "enrollment");
    let found = enrollment.unwrap()["found"].as_str().unwrap();
    assert!(found.contains("is being wiped"), "{found} {words}");
    let agent = home.start(&["run"]);
    wait_for("it is clean", || !home.path("agent/wipe.json").exists());
    let said = end(agent);
    assert!(!home.path("data").exists(), "{said}");
}

#[test]
fn what_cannot_be_erased_is_said_and_is_a_failure() {
    let home = Home::new();
    fs::remove_dir_all(home.path("data")).unwrap();
    fs::create_dir(home.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(home.path("elsewhere"), home.path("data")).unwrap();
    let (exit, json, words) = home.run(&["decommission", "--yes", "-o", "json"]);
    assert_eq!(exit, 1, "{words}");
    let result = &json["erased"][1]["result"]["failed"];
    assert!(result.as_str().unwrap().contains("symbolic link"), "{json}");
    assert!(home.path("elsewhere").exists());
}
