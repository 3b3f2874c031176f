//! What came of it, and what to try next.

use serde::Serialize;

use super::agents::Fleet;
use super::invocation::Invocation;
use super::{PREFIX, Stage};
use crate::output::{Format, Row, Rows};
use crate::say::say;
use crate::text::word;

#[derive(Serialize)]
struct Provisioned {
    device: String,
    state: String,
    serial: String,
    not_after: String,
}

impl Row for Provisioned {
    const COLUMNS: &'static [&'static str] = &["device", "state", "serial", "not after"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.device.clone(),
            self.state.clone(),
            self.serial.clone(),
            self.not_after.clone(),
        ]
    }
}

/// The devices of the agents, as the server has them.
pub fn table(stage: &Stage<'_>, fleet: &Fleet) -> anyhow::Result<()> {
    let mut rows = Rows::of::<Provisioned>(Format::Table);
    for agent in fleet.agents() {
        let device = agent.on_record(stage)?;
        let certificate = device.certificate;
        rows.push(&Provisioned {
            state: word(&device.state),
            device: device.name,
            serial: certificate
                .as_ref()
                .map_or_else(String::new, |one| one.serial.clone()),
            not_after: certificate.map_or_else(String::new, |one| one.not_after.to_string()),
        })?;
    }
    rows.finish()
}

/// The commands to try, and where everything is.
pub fn words(stage: &Stage<'_>, invocation: &Invocation, devices: u32, exit: bool) {
    let group = &stage.group;
    say!("These are the devices of the agents, of the {devices} in group `{group}`.");
    say!("");
    if exit {
        let again = invocation.again(stage.typed);
        say!("The server ends now; `{again}` starts it again. Try next, then:");
    } else {
        say!("Try next, in another terminal:");
    }
    let commands = [
        format!("get devices -g {group}"),
        format!("suspend device {PREFIX}1 -g {group}"),
        format!("get events -g {group}"),
    ];
    for line in invocation.preparation(stage.settings, stage.typed) {
        say!("  {line}");
    }
    for command in commands {
        say!("  {}", invocation.line(&command));
    }
    say!("");
    say!(
        "The server is {}; everything it keeps, logs too, is in `{}`.",
        stage.settings.server,
        stage.typed.display()
    );
}
