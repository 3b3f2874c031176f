//! Configuration on a real disk, with real hooks, and the command as it is typed.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "common/statements.rs"]
mod statements;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use enlist_agent::configuration::{Checked, Keeper};
use enlist_agent::disk::FileDisk;
use enlist_wire::ConfigurationOffer;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use statements::*;

/// A device on a real disk.
struct Home {
    directory: tempfile::TempDir,
    us: Signatory,
}

impl Home {
    /// With schema 1 and values for the group in force.
    fn configured() -> Self {
        let home = Self {
            directory: tempfile::tempdir().unwrap(),
            us: Signatory::new(),
        };
        home.write(&json!({}));
        home.takes(&home.us.schema(1, 1, schema_1()));
        home.takes(
            &home
                .us
                .group(1, json!({"speed": 20, "password": "hunter2"})),
        );
        assert_eq!(home.config()["speed"], 20);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, hooks: &Value) {
        let key = spki_pem(&self.us);
        let config = json!({
            "schema_version": 1,
            // Port 1 refuses at once.
            "server_url": "https://localhost:1",
            "trust_anchors_pem": include_str!("root.pem"),
            "persistent_directory": self.path("agent"),
            "name": "press-1",
            "hardware_id": "PC0A1B2C",
            "public_keys": [key],
            "hooks": hooks,
        });
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }

    fn takes(&self, offer: &ConfigurationOffer) {
        let mut disk = FileDisk::open(&self.path("agent")).unwrap();
        let mut keeper = Keeper::open(&disk, vec![self.us.public()], now());
        keeper.offered(offer, &who(), now());
        while keeper
            .step(&mut disk, &mut |_| Checked::Good, now())
            .is_some()
        {}
    }

    fn config(&self) -> Value {
        let file = fs::read(self.path("agent").join(CONFIG)).unwrap();
        serde_json::from_slice(&file).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enlist-agent"));
        command
            .args(arguments)
            .args(["-c", "config.json"])
            .current_dir(self.directory.path())
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words}"))
    }
}

fn spki_pem(us: &Signatory) -> String {
    us.public().to_pem()
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_files_are_private_and_the_link_leads_to_them() {
    let home = Home::configured();
    let mode = |name: &str| {
        fs::metadata(home.path("agent").join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("configuration/current/config.json") & 0o777, 0o600);
    assert_eq!(mode("configuration/current") & 0o777, 0o700);
    assert_eq!(mode("configuration/state.json") & 0o777, 0o600);
}

#[test]
fn show_masks_secrets_unless_told_otherwise() {
    let home = Home::configured();
    let shown = home.run(&["config", "show"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(
        text.contains("\"password\": \"***\"") && text.contains("applied"),
        "{text}"
    );
    assert!(!text.contains("hunter2"));
    assert_eq!(home.json(&["config", "show"])["values"]["password"], "***");
    assert_eq!(
        home.json(&["config", "show", "--reveal"])["values"]["password"],
        "hunter2"
    );
    assert_eq!(
        home.json(&["config", "show"])["report"]["in_force"]["group"],
        1
    );
}

#[test]
fn verify_finds_what_is_damaged_and_the_next_start_mends_it() {
    let home = Home::configured();
    assert_eq!(home.run(&["config", "verify"]).status.code(), Some(0));
    let file = home.path("agent").join(CONFIG);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..10]).unwrap();
    let found = home.json(&["config", "verify"]);
    assert_eq!(found["good"], false);
    assert_eq!(home.run(&["config", "verify"]).status.code(), Some(1));
    // Looking changes nothing.
    assert_eq!(fs::read(&file).unwrap(), &whole[..10]);
    home.takes(&ConfigurationOffer::default());
    assert_eq!(fs::read(&file).unwrap(), whole);
}

#[test]
fn reset_goes_back_to_the_defaults_through_the_hook_and_is_logged() {
    let home = Home::configured();
    home.write(&json!({
        "configuration_check": "cp \"$ENLIST_CONFIGURATION\" seen; cp \"$ENLIST_CONFIGURATION_BEFORE\" before"
    }));
    let output = home.run(&["config", "reset"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        home.config(),
        json!({"speed": 10, "label": "", "password": ""})
    );
    let read = |name: &str| serde_json::from_slice::<Value>(&fs::read(home.path(name)).unwrap());
    assert_eq!(read("seen").unwrap()["speed"], 10);
    assert_eq!(read("before").unwrap()["speed"], 20);
    let log = home.json(&["config", "log"]);
    let last = log.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["who"], &last["did"]),
        (&json!("command-line"), &json!("reset"))
    );
    let text = String::from_utf8(home.run(&["config", "log"]).stdout).unwrap();
    assert!(
        text.contains("/speed from 20 to 10") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn a_hook_that_hangs_is_ended_and_the_reset_is_refused() {
    let home = Home::configured();
    home.write(&json!({
        "configuration_check": "grep -q '\"speed\": 20' \"$ENLIST_CONFIGURATION\" || sleep 600",
        "configuration_timeout_s": 1
    }));
    let start = Instant::now();
    let output = home.run(&["config", "reset"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(home.config()["speed"], 20);
    let shown = home.json(&["config", "show"]);
    assert_eq!(shown["report"]["refused"]["reason"], "hook-timeout");
}

#[test]
fn a_hook_that_kills_the_agent_twice_is_not_tried_again() {
    let home = Home::configured();
    home.write(&json!({
        "configuration_check": "grep -q '\"speed\": 20' \"$ENLIST_CONFIGURATION\" || kill -9 $PPID"
    }));
    for _ in 0..2 {
        let output = home.run(&["config", "reset"]);
        assert_eq!(output.status.code(), None, "it was killed");
    }
    // The next start sees it, whoever starts.
    home.takes(&ConfigurationOffer::default());
    assert_eq!(home.config()["speed"], 20);
    let shown = home.json(&["config", "show"]);
    assert_eq!(shown["report"]["refused"]["reason"], "hook-crashed");
}

#[test]
fn the_agent_that_is_at_work_is_asked_to_reset() {
    let home = Home::configured();
    let mut daemon = Daemon(
        home.command(&["run"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lock = home.path("agent/lock");
    let pid = daemon.0.id().to_string();
    until("it takes the lock", || {
        fs::read_to_string(&lock).is_ok_and(|held| held.trim() == pid)
    });
    let output = home.run(&["config", "reset"]);
    assert!(output.status.success(), "{output:?}");
    until("it is done", || home.config()["speed"] == 10);
    assert!(!home.path("agent/configuration/reset-request").exists());
    let term = Pid::from_raw(i32::try_from(daemon.0.id()).unwrap()).unwrap();
    kill_process(term, Signal::TERM).unwrap();
    assert!(daemon.0.wait().unwrap().success());
}
