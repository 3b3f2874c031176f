//! Servers that are killed every few seconds.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::balancer::{self, Balancer};
use crate::crowd::Crowd;
use crate::record;
use crate::rig::eventually;
use crate::site::{Server, Site};

/// Devices besides the agents.
const DEVICES: usize = 250;
/// How often a server is killed, one and the other in turn.
const KILLS: usize = 6;
/// Devices that come between two kills.
const BETWEEN: usize = DEVICES / KILLS;
const AGENTS: usize = 3;

#[test]
fn servers_that_are_killed_every_few_seconds_lose_and_double_nothing() {
    let Some(postgres) = balancer::database() else {
        return;
    };
    let site = Site::new(Some(&postgres.database("servers")));
    let settings = balancer::settings("0");
    let mut servers = ["one", "two"].map(|name| site.server_with(name, &settings));
    let balancer = Balancer::start(&site.shell, balancer::port(), [&servers[0], &servers[1]]);
    let secret = balancer::group(&site, &servers[0], "crowd");
    let crowd = Crowd::new("crowd", &secret, DEVICES).that_waits();
    let agents = agents(&site, &servers[0], &balancer);
    let held = crowd.comes(&site, &[balancer.url()], |progress| {
        for kill in 0..KILLS {
            progress.call(BETWEEN);
            progress.wait_for(BETWEEN / 2);
            let victim = &mut servers[kill % 2];
            victim.kill();
            std::thread::sleep(Duration::from_millis(300));
            victim.start();
        }
    });
    let [one, two] = &servers;
    eventually("the agents have their certificates", || {
        (0..AGENTS).all(|number| agents.is_active(&site, one, number))
    });
    drop(agents);
    record::is_right(&site, one, &crowd, &held);
    record::is_right(&site, two, &crowd, &held);
}

/// Real agents in a group of their own; they end with this.
struct Agents(Vec<Child>);

fn agents(site: &Site, server: &Server<'_>, balancer: &Balancer) -> Agents {
    let url = balancer.url();
    site.ok(
        server,
        &format!(
            "export ENLIST_SERVER={url}
             enlist add group agents --enrollment open
             enlist gen-device-config --device-name=agent --enrollment-type=group-enroll \
                --persist=$PWD/agent -g agents"
        ),
    );
    let configuration = site.shell.read("config.json");
    let spawn = |number: usize| {
        let mut configuration: Value = serde_json::from_str(&configuration).unwrap();
        assert_eq!(configuration["server_url"], json!(url));
        let fields = configuration.as_object_mut().unwrap();
        let own = site.shell.work().join(format!("agent-{number}"));
        fields.remove("name_prefix");
        fields.insert("name".into(), json!(format!("agent-{number}")));
        fields.insert("hardware_id".into(), json!(format!("agent-{number}")));
        fields.insert("persistent_directory".into(), json!(own));
        fields.insert("hold_connection".into(), json!(true));
        let file = format!("agent-{number}.json");
        site.shell.write(&file, &configuration.to_string());
        let mut command = site.shell.command("enlist-agent");
        command
            .args(["run", "-c", &file])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    Agents((0..AGENTS).map(spawn).collect())
}

impl Agents {
    fn is_active(&self, site: &Site, server: &Server<'_>, number: usize) -> bool {
        let admin = site.admin(server);
        let name = format!("agent-{number}");
        let device = admin.device("default", "agents", &name);
        device.is_ok_and(|device| device.state == enlist_wire::DeviceState::Active)
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        for agent in &mut self.0 {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}
