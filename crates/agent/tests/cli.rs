//! The command as it is typed.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A configuration whose server nobody is.
    fn config(&self) -> Value {
        json!({
            "schema_version": 1,
            // Port 1 refuses at once.
            "server_url": "https://localhost:1",
            "trust_anchors_pem": include_str!("root.pem"),
            "persistent_directory": self.path("agent"),
            "name": "press-1",
            "hardware_id": "PC0A1B2C",
        })
    }

    fn write(&self, config: &Value) {
        fs::write(self.path("config.json"), config.to_string()).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enlist-agent"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn data(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stop(mut child: Child) -> (i32, String) {
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    let mut words = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut words)
        .unwrap();
    (child.wait().unwrap().code().unwrap(), words)
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn provision_without_a_configuration_is_refused() {
    let output = Home::new().run(&["provision", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        words(&output).contains("there is no such file"),
        "{}",
        words(&output)
    );
    assert_eq!(data(&output), "");
}

#[test]
fn provision_without_a_server_keeps_key_and_token_and_says_not_yet() {
    let home = Home::new();
    home.write(&home.config());
    let provision = ["provision", "-c", "config.json", "--wait", "0"];
    let output = home.run(&provision);
    assert_eq!(output.status.code(), Some(4), "{}", words(&output));
    assert!(
        words(&output).contains("can't be reached"),
        "{}",
        words(&output)
    );
    let state = fs::read(home.path("agent/state.json")).unwrap();
    let key = fs::read(home.path("agent/slots/1/key")).unwrap();
    home.run(&provision);
    assert_eq!(fs::read(home.path("agent/state.json")).unwrap(), state);
    assert_eq!(fs::read(home.path("agent/slots/1/key")).unwrap(), key);

    let output = home.run(&["status", "-c", "config.json", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let status: Value = serde_json::from_str(&data(&output)).unwrap();
    assert_eq!(status["state"], "enrolling");
    assert_eq!(status["name"], "press-1");
    assert!(!data(&output).contains("edt_"));
}

#[test]
fn a_new_device_is_new() {
    let home = Home::new();
    home.write(&home.config());
    let output = home.run(&["status", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        data(&output).split_whitespace().collect::<Vec<_>>(),
        ["state", "new"]
    );
    let output = home.run(&["renew", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("not enrolled"));
    assert!(!home.path("agent").exists(), "looking makes nothing");
}

#[test]
fn identity_says_what_is_used_and_why() {
    let home = Home::new();
    home.write(&home.config());
    let output = home.run(&["identity", "-c", "config.json", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let identity: Value = serde_json::from_str(&data(&output)).unwrap();
    assert_eq!(
        identity["used"],
        json!({"kind": "named", "value": "PC0A1B2C"})
    );
    assert_eq!(identity["name"], "press-1");
    assert_eq!(identity["found"].as_array().unwrap().len(), 6);
    let output = home.run(&["identity"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(data(&output).contains("used "), "{}", data(&output));
}

#[test]
fn run_waits_for_its_configuration_and_stops_when_told_to() {
    let home = Home::new();
    let child = home.command(&["run", "-c", "config.json"]).spawn().unwrap();
    sleep(Duration::from_millis(300));
    home.write(&home.config());
    eventually("it starts with the configuration", || {
        home.path("agent/state.json").exists()
    });
    let (code, words) = stop(child);
    assert_eq!(code, 0, "{words}");
    assert_eq!(
        words.matches("waiting for the configuration").count(),
        1,
        "{words}"
    );
}

#[test]
fn run_says_once_what_is_wrong_and_goes_on_when_it_is_put_right() {
    let home = Home::new();
    let mut bad = home.config();
    bad["nme"] = json!("press-1");
    home.write(&bad);
    let child = home.command(&["run", "-c", "config.json"]).spawn().unwrap();
    sleep(Duration::from_millis(2500));
    home.write(&home.config());
    eventually("it starts when the file is put right", || {
        home.path("agent/state.json").exists()
    });
    let (code, words) = stop(child);
    assert_eq!(code, 0, "{words}");
    assert_eq!(words.matches("unknown field").count(), 1, "{words}");
}

#[test]
fn a_second_agent_keeps_out() {
    let home = Home::new();
    home.write(&home.config());
    let child = home.command(&["run", "-c", "config.json"]).spawn().unwrap();
    eventually("the first has started", || {
        home.path("agent/state.json").exists()
    });
    let output = home.run(&["provision", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words(&output).contains("another agent"),
        "{}",
        words(&output)
    );
    let output = home.run(&["run", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stop(child).0, 0);
}

#[test]
fn a_single_check_without_a_server_says_not_yet() {
    let home = Home::new();
    let mut config = home.config();
    config["single_check"] = json!(true);
    home.write(&config);
    let output = home.run(&["run", "-c", "config.json"]);
    assert_eq!(output.status.code(), Some(4), "{}", words(&output));
}

#[test]
fn help_tells_the_exit_statuses_and_usage_errors_are_2() {
    let home = Home::new();
    let output = home.run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(data(&output).contains("Exit status:"));
    assert_eq!(home.run(&["provison"]).status.code(), Some(2));
    assert_eq!(home.run(&[]).status.code(), Some(2));
}
