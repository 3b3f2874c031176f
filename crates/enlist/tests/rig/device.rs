//! A device of a test's own: its configuration, and the agent at work with it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::kill::configuration_with;
use super::{Rig, eventually};

/// The device `device` of the open group `crashes`, which asks the server each second.
pub struct Device<'a> {
    pub rig: &'a Rig,
    agent: Option<Child>,
}

impl<'a> Device<'a> {
    /// Writes its configuration, with these fields besides the usual ones. It has asked nothing yet.
    pub fn new(rig: &'a Rig, more: &Value) -> Self {
        let secret = rig.ok("enlist add group crashes --enrollment open");
        rig.write(
            "schema.json",
            r#"{"type": "object", "properties": {"mode": {"type": "string", "default": "usual"}}}"#,
        );
        rig.ok("enlist apply schema -g crashes -f schema.json");
        let signing = rig.json("enlist get signing -g crashes -o json");
        let mut fields = json!({"polling_interval_s": 1, "public_keys": signing["keys"]});
        let all = fields.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        configuration_with(rig, "device", secret.trim(), &fields);
        Self { rig, agent: None }
    }

    /// Puts one field of its configuration in place of what it was.
    pub fn set(&self, field: &str, value: Value) {
        let mut fields: Value = serde_json::from_str(&self.rig.read("device.json")).unwrap();
        fields[field] = value;
        self.rig.write("device.json", &fields.to_string());
    }

    /// Sets its agent to work, and waits until it is enrolled.
    pub fn start(&mut self) {
        let mut command = self.rig.command("enlist-agent");
        command.args(["run", "-c", "device.json"]);
        self.start_as(command);
        eventually("it is enrolled", || self.status()["state"] == "enrolled");
    }

    /// Sets the agent to work by this command.
    pub fn start_as(&mut self, mut command: Command) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.rig.work().join("agent.log"));
        let agent = command.stdout(Stdio::null()).stderr(log.unwrap()).spawn();
        self.agent = Some(agent.unwrap());
    }

    /// Starts the agent again where it has ended, as systemd does.
    pub fn keep_up(&mut self) {
        let agent = self.agent.as_mut().unwrap();
        if agent.try_wait().unwrap().is_some() {
            self.start();
        }
    }

    pub fn pid(&self) -> u32 {
        self.agent.as_ref().unwrap().id()
    }

    /// Whether the agent is still at work.
    pub fn is_up(&mut self) -> bool {
        self.agent.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    pub fn status(&self) -> Value {
        let ran = self.rig.sh("enlist-agent status -c device.json -o json");
        serde_json::from_str(&ran.out).unwrap_or_default()
    }

    /// What the server knows of it.
    pub fn on_record(&self) -> Value {
        self.rig.json("enlist get device device -g crashes -o json")
    }

    /// Has the server order another key.
    pub fn order_another_key(&self) {
        self.rig
            .ok("enlist refresh certificate device -g crashes --rekey");
    }

    /// States its configuration.
    pub fn state_mode(&self, mode: &str) {
        let values = json!({"mode": mode}).to_string();
        self.rig.write("values.json", &values);
        self.rig.ok("enlist apply config -g crashes -f values.json");
    }

    /// The configuration in force.
    pub fn mode(&self) -> Value {
        let file = "device.state/configuration/current/config.json";
        let text = fs::read_to_string(self.rig.work().join(file)).unwrap_or_default();
        let values: Value = serde_json::from_str(&text).unwrap_or_default();
        values["mode"].clone()
    }

    /// The certificate that other programs read.
    pub fn certificate(&self) -> String {
        self.rig.read("device.state/current/certificate.pem")
    }

    pub fn log_file(&self) -> PathBuf {
        self.rig.work().join("agent.log")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Device<'_> {
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
