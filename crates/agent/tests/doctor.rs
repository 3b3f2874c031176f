//! What the doctor finds, and what systemd is told, with the command as it is typed.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A configuration whose server nobody is: port 1 refuses at once.
    fn config(&self) -> Value {
        json!({
            "schema_version": 1,
            "server_url": "https://localhost:1",
            "trust_anchors_pem": include_str!("root.pem"),
            "persistent_directory": self.path("agent"),
            "name": "press-1",
            "hardware_id": "PC0A1B2C",
            "device_enrollment_token": format!("eps_aaaaaaaaaa_{}", "A".repeat(43)),
        })
    }

    fn write(&self, config: &Value) {
        fs::write(self.path("config.json"), config.to_string()).unwrap();
        fs::set_permissions(self.path("config.json"), Permissions::from_mode(0o600)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enlist-agent"));
        command
            .args(arguments)
            .args(["-c", "config.json"])
            .current_dir(self.0.path())
            .env_remove("NOTIFY_SOCKET")
            .env_remove("RUNTIME_DIRECTORY")
            .env_remove("CREDENTIALS_DIRECTORY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn doctor(&self) -> (i32, Value, String) {
        let output = self.command(&["doctor", "-o", "json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        (output.status.code().unwrap(), report, text)
    }
}

/// The verdict and the words of one check.
fn check(report: &Value, name: &str) -> (String, String) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no check {name}"));
    let word = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    let words = format!("{} {}", word("found"), word("remedy"));
    (word("verdict"), words)
}

#[test]
fn without_a_configuration_the_doctor_says_what_to_bring() {
    let (status, report, _) = Home::new().doctor();
    assert_eq!(status, 1);
    assert_eq!(report["ok"], false);
    let (verdict, words) = check(&report, "configuration");
    assert_eq!(verdict, "failed");
    assert!(words.contains("gen-device-config"), "{words}");
    assert_eq!(check(&report, "network").0, "skipped");
}

#[test]
fn a_new_device_without_a_server_is_told_about_the_network_and_nothing_is_made() {
    let home = Home::new();
    let mut config = home.config();
    config["hooks"] = json!({"after_renew": [["/no/such/program"]]});
    home.write(&config);
    let (status, report, text) = home.doctor();
    assert_eq!(status, 1);
    for (name, verdict, words) in [
        ("configuration", "ok", "press-1"),
        ("permissions", "ok", ""),
        ("disk", "ok", "free"),
        ("network", "failed", "firewalls"),
        ("server", "skipped", ""),
        ("key_store", "warning", "pkcs11"),
        ("certificate", "skipped", "new"),
        ("enrollment", "ok", "provision"),
        ("settings", "ok", "public_keys"),
        ("hooks", "failed", "/no/such/program"),
    ] {
        let found = check(&report, name);
        assert_eq!(found.0, verdict, "{name}: {}", found.1);
        assert!(found.1.contains(words), "{name}: {}", found.1);
    }
    assert!(!home.path("agent").exists(), "looking makes nothing");
    assert!(!text.contains("AAAA"), "no secret is shown: {text}");

    let output = home.command(&["doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("failed   network"), "{text}");
}

#[test]
fn a_secret_that_others_may_read_is_pointed_out() {
    let home = Home::new();
    home.write(&home.config());
    fs::set_permissions(home.path("config.json"), Permissions::from_mode(0o644)).unwrap();
    let (_, report, _) = home.doctor();
    let (verdict, words) = check(&report, "permissions");
    assert_eq!(verdict, "warning");
    assert!(words.contains("chmod 600"), "{words}");

    fs::create_dir(home.path("agent")).unwrap();
    fs::set_permissions(home.path("agent"), Permissions::from_mode(0o755)).unwrap();
    let (_, report, _) = home.doctor();
    assert_eq!(check(&report, "permissions").0, "failed");
}

#[cfg(feature = "tpm")]
#[test]
fn a_key_store_that_is_not_there_is_named() {
    let home = Home::new();
    let mut config = home.config();
    config["key_store"] = json!("tpm:swtpm=/no/such/socket");
    home.write(&config);
    let (_, report, _) = home.doctor();
    let (verdict, words) = check(&report, "key_store");
    assert_eq!(verdict, "failed");
    assert!(words.contains("/no/such/socket"), "{words}");
}

#[test]
fn systemd_hears_that_it_is_ready_once_the_first_step_is_taken() {
    let home = Home::new();
    let socket = UnixDatagram::bind(home.path("notify")).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    home.write(&home.config());
    let mut run = home.command(&["run"]);
    run.env("NOTIFY_SOCKET", home.path("notify"));
    run.env("WATCHDOG_USEC", "2000000");
    let mut run = run.spawn().unwrap();
    let mut told = Vec::new();
    let mut beats = 0;
    while !told.contains(&"READY=1".to_owned()) || beats < 3 {
        let mut buffer = [0; 4096];
        let count = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        for line in text.lines() {
            if line == "READY=1" {
                assert!(home.path("agent/lock").exists(), "the directory is ours");
            }
            beats += usize::from(line == "WATCHDOG=1");
            told.push(line.to_owned());
        }
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn systemd_takes_the_units_and_finds_them_shut_in() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd");
    let analyze = |arguments: &[&str], dir: &Path| {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).current_dir(dir).output()
    };
    if analyze(&["--version"], &units).is_err() {
        let note = "systemd-analyze is not installed";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
        return;
    }
    // The programs are not installed here, so something stands in for them.
    let home = Home::new();
    for entry in fs::read_dir(&units).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let text = text
            .replace("/usr/bin/enlist-agent ", "/bin/true ")
            .replace("/usr/bin/enlist ", "/bin/true ");
        fs::write(home.path(path.file_name().unwrap().to_str().unwrap()), text).unwrap();
    }
    for unit in [
        "enlist-agent.service",
        "enlist-agent-status.socket",
        "enlist-agent-status@.service",
        "enlist.service",
    ] {
        let path = home.path(unit);
        let output = analyze(
            &["verify", "--man=no", path.to_str().unwrap()],
            &home.path(""),
        )
        .unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let ours: Vec<_> = words
            .lines()
            .filter(|line| line.contains("enlist"))
            .collect();
        assert!(ours.is_empty(), "{unit}: {words}");
    }
    for (unit, most) in [("enlist-agent.service", "35"), ("enlist.service", "20")] {
        let path = home.path(unit);
        let threshold = format!("--threshold={most}");
        let arguments = [
            "security",
            "--offline=true",
            &threshold,
            path.to_str().unwrap(),
        ];
        let output = analyze(&arguments, &home.path("")).unwrap();
        let words = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{unit} is more exposed than {most}: {words}"
        );
    }
}
