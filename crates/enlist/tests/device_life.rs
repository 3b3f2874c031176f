//! A device's whole life, once with each kind of key store: real server, real agent, real TPM and token.
//!
//! It enrolls, renews onto another key, takes a configuration, refuses a bad one, rotates by order, is
//! decommissioned, hands in its receipt, is clean, and comes back once because an operator lets it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::fs;
use std::process::{Child, Stdio};

use enlist_testkit::{SoftHsm, Swtpm};
use rig::{Rig, eventually};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "interval_s": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
        "broker": {"type": "string", "default": "localhost"}
    }
}"#;

#[test]
fn with_keys_in_files() {
    let rig = Rig::new();
    Life::begin(&rig, "file", Vec::new()).lead();
}

#[test]
fn with_keys_in_a_tpm() {
    let Some(tpm) = Swtpm::start() else { return };
    let rig = Rig::new();
    Life::begin(&rig, &tpm.key_store(), Vec::new()).lead();
    assert_eq!(tpm.transient(), 0, "nothing is left open");
    let left = tpm.persistent();
    assert_eq!(
        left.len(),
        1,
        "only the key of the device that came back: {left:x?}"
    );
}

#[test]
fn with_keys_in_a_token() {
    let Some(token) = SoftHsm::start() else {
        return;
    };
    let rig = Rig::new();
    Life::begin(&rig, &token.key_store(), vec![token.environment()]).lead();
}

type Variable = (&'static str, std::path::PathBuf);

/// A device with its agent at work.
struct Life<'a> {
    rig: &'a Rig,
    environment: Vec<Variable>,
    agent: Option<Child>,
}

impl<'a> Life<'a> {
    fn begin(rig: &'a Rig, key_store: &str, environment: Vec<Variable>) -> Self {
        rig.ok("enlist add group presses --enrollment open > secret");
        rig.write("schema.json", SCHEMA);
        rig.ok("enlist apply schema -g presses -f schema.json");
        let work = rig.work();
        rig.ok(&format!(
            "enlist gen-device-config --device-name=press --enrollment-type=group-enroll \
                --persist={}/device -g presses",
            work.display()
        ));
        let mut configuration: Value = serde_json::from_str(&rig.read("config.json")).unwrap();
        let fields = configuration.as_object_mut().unwrap();
        fields.remove("name_prefix");
        fields.insert("name".into(), json!("press-1"));
        fields.insert("key_store".into(), json!(key_store));
        fields.insert("hardware_id".into(), json!("board-0815"));
        fields.insert("polling_interval_s".into(), json!(1));
        fields.insert("wipe_paths".into(), json!([work.join("production-data")]));
        let refuse_nowhere = "! grep -q nowhere \"$ENLIST_CONFIGURATION\"";
        fields.insert(
            "hooks".into(),
            json!({"configuration_check": refuse_nowhere}),
        );
        rig.write("config.json", &configuration.to_string());
        fs::create_dir(work.join("production-data")).unwrap();
        rig.write("production-data/recipe", "secret recipe");
        Self {
            rig,
            environment,
            agent: None,
        }
    }

    fn lead(mut self) {
        self.start();
        self.becomes("active");
        self.renews_onto_another_key();
        self.takes_a_configuration_and_refuses_a_bad_one();
        self.rotates_its_token();
        self.ends();
        self.comes_back_once();
    }

    fn start(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.rig.work().join("agent.log"));
        let agent = self
            .rig
            .command("enlist-agent")
            .args(["run", "-c", "config.json"])
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn();
        self.agent = Some(agent.unwrap());
    }

    fn device(&self) -> Value {
        self.rig
            .json("enlist get device press-1 -g presses -o json")
    }

    fn status(&self) -> Value {
        let ran = self.rig.sh("enlist-agent status -c config.json -o json");
        serde_json::from_str(&ran.out).unwrap_or_default()
    }

    fn becomes(&self, state: &str) {
        let now = || {
            let ran = self.rig.sh("enlist get device press-1 -g presses -o json");
            serde_json::from_str::<Value>(&ran.out).is_ok_and(|device| device["state"] == state)
        };
        eventually(&format!("{state}\n{}", self.log()), now);
    }

    fn renews_onto_another_key(&self) {
        let before = self.public_key();
        self.rig
            .ok("enlist refresh certificate press-1 -g presses --rekey");
        eventually("another key", || self.public_key() != before);
        // The one before goes only when the new one was used.
        eventually("one good certificate", || {
            let all = self.rig.json("enlist get certificates -g presses -o json");
            let good = |one: &&Value| one["status"] == "good" || one["status"] == "current";
            all.as_array().unwrap().iter().filter(good).count() == 1
        });
    }

    fn takes_a_configuration_and_refuses_a_bad_one(&self) {
        let current = self
            .rig
            .work()
            .join("device/configuration/current/config.json");
        let in_force = || {
            let text = fs::read_to_string(&current).unwrap_or_default();
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        };
        self.rig.write("good.json", r#"{"interval_s": 5}"#);
        self.rig.ok("enlist apply config -g presses -f good.json");
        eventually("it is in force", || in_force()["interval_s"] == 5);
        assert_eq!(in_force()["broker"], "localhost", "the default fills in");

        self.rig.write("bad.json", r#"{"broker": "nowhere"}"#);
        self.rig
            .ok("enlist apply config -g presses press-1 -f bad.json");
        eventually("the refusal is reported", || {
            self.device().to_string().contains("hook-failed")
        });
        assert_eq!(in_force()["broker"], "localhost", "the last good one stays");
        assert_eq!(in_force()["interval_s"], 5);

        self.rig
            .write("better.json", r#"{"broker": "broker.example"}"#);
        self.rig
            .ok("enlist apply config -g presses press-1 -f better.json");
        eventually("the next one is in force", || {
            in_force()["broker"] == "broker.example"
        });
    }

    fn rotates_its_token(&self) {
        self.rig.ok("enlist refresh token press-1 -g presses");
        eventually("the order is acknowledged", || {
            let orders = self
                .rig
                .json("enlist get orders press-1 -g presses -o json");
            let orders = orders.as_array().unwrap().clone();
            orders.len() == 2 && orders.iter().all(|order| order["done"] == true)
        });
    }

    fn ends(&self) {
        self.rig.ok("enlist decommission device press-1 -g presses");
        self.becomes("decommissioned");
        self.rig
            .ok("enlist get receipt press-1 -g presses -o json > receipt.json");
        let receipt = self.rig.read("receipt.json");
        assert!(
            !self.rig.work().join("production-data").exists(),
            "{receipt}"
        );
        self.rig.ok("enlist get anchor > anchor.pem");
        let ran = self
            .rig
            .sh("enlist verify receipt receipt.json --ca anchor.pem");
        assert_eq!(ran.status, 0, "{ran:?}");
        eventually("the wipe is over", || {
            !self.rig.work().join("device/wipe.json").exists()
        });
        // It is new: with its provisioning secret it asks to be let in, which nobody has allowed yet.
        let left = self.rig.files("device");
        for gone in ["current", "identity.json", "configuration"] {
            assert!(!left.contains(&gone.to_owned()), "{gone} is left: {left:?}");
        }
        eventually("it asks", || self.status()["state"] == "enrolling");
        self.becomes("decommissioned");
    }

    fn comes_back_once(&mut self) {
        self.rig
            .ok("enlist allow-reenroll device press-1 -g presses");
        let mut agent = self.agent.take().unwrap();
        // It may have ended with the wipe, or still be there, asking.
        let _ = agent.kill();
        agent.wait().unwrap();
        self.start();
        self.becomes("active");
        eventually("it is enrolled", || self.status()["state"] == "enrolled");
        // Orders of this life count from its first moment on.
        self.renews_onto_another_key();
    }

    fn public_key(&self) -> String {
        let pem = self.rig.work().join("device/current/certificate.pem");
        self.rig
            .sh(&format!(
                "openssl x509 -in {} -noout -pubkey",
                pem.display()
            ))
            .out
    }

    fn log(&self) -> String {
        fs::read_to_string(self.rig.work().join("agent.log")).unwrap_or_default()
    }
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the agent's log:\n{}", self.log());
        }
    }
}
