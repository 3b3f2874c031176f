//! An order over a held connection: it arrives at once, however seldom the device polls.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::process::{Child, Stdio};

use rig::{Rig, eventually};
use serde_json::{Value, json};

struct Agent(Child);

impl Agent {
    fn run(rig: &Rig) -> Self {
        let agent = rig
            .command("enlist-agent")
            .args(["run", "-c", "config.json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(agent.unwrap())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn orders_arrive_at_once_over_a_held_connection_also_after_the_server_was_gone() {
    let mut rig = Rig::new();
    rig.ok("enlist add group presses --enrollment open > secret");
    rig.ok(&format!(
        "enlist gen-device-config --device-name=press --enrollment-type=group-enroll \
            --persist={}/device -g presses",
        rig.work().display()
    ));
    let mut configuration: Value = serde_json::from_str(&rig.read("config.json")).unwrap();
    let fields = configuration.as_object_mut().unwrap();
    fields.remove("name_prefix");
    fields.insert("name".into(), json!("press-1"));
    fields.insert("polling_interval_s".into(), json!(86_400));
    fields.insert("hold_connection".into(), json!(true));
    rig.write("config.json", &configuration.to_string());
    let _agent = Agent::run(&rig);
    eventually("it is enrolled", || {
        rig.sh("enlist get device press-1 -g presses -o json")
            .out
            .contains("\"active\"")
    });
    order(&rig);
    // The connection breaks, and is held again.
    rig.kill();
    rig.start();
    order(&rig);
}

/// Gives an order, which is carried out long before the next poll is due.
fn order(rig: &Rig) {
    let before = serial(rig);
    rig.ok("enlist refresh certificate press-1 -g presses --rekey");
    eventually("it has another certificate", || serial(rig) != before);
    eventually("the order is acknowledged", || {
        let orders = rig.json("enlist get orders press-1 -g presses -o json");
        orders
            .as_array()
            .unwrap()
            .iter()
            .all(|order| order["done"] == true)
    });
}

fn serial(rig: &Rig) -> String {
    let pem = rig.work().join("device/current/certificate.pem");
    rig.sh(&format!(
        "openssl x509 -in {} -noout -serial",
        pem.display()
    ))
    .out
}
