//! `enlist quickstart`: everything on one machine, with nothing to configure.

mod agents;
mod devices;
mod farewell;
mod invocation;
mod own_context;
mod secret;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_core::Name;
use enlist_wire::Client;

use crate::context::{Settings, management_client};
use crate::failure::refused;
use crate::interrupt::interrupted;
use crate::say::say;
use crate::text::address;
use agents::Fleet;
use invocation::Invocation;
use server::RunningServer;

/// Start everything on this machine: a server, a group, devices and agents
///
/// The server keeps its record in DIR, with SQLite. A group `quickstart` is made with devices
/// test-device-1 and so on, and the first few of them are provisioned by agents: processes of their
/// own, each with its hardware identity and directory under DIR/agents. An administrator's context is
/// saved for the commands that follow.
///
/// Stays until Ctrl-C. Started again, it goes on with what is there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Quickstart {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// How many devices
    #[arg(long, value_name = "COUNT", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    devices: u32,
    /// How many of them run an agent
    #[arg(long, value_name = "COUNT", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    agents: u32,
    /// The address and port to listen on [default: 127.0.0.1:8443, or any free port if that is in use]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// End everything once the devices are provisioned
    #[arg(long)]
    exit: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist quickstart
  enlist quickstart --exit --data /tmp/enlist-data
  enlist quickstart --devices 10000 --agents 20";

/// Where the data is when nothing else is said.
const DEFAULT_DATA: &str = "enlist-data";
/// The group that all of it happens in.
const GROUP: &str = "quickstart";
/// What the devices' names begin with.
const PREFIX: &str = "test-device-";

/// What every step needs.
struct Stage<'a> {
    client: &'a Client,
    settings: &'a Settings,
    group: Name,
    /// The data directory, absolute.
    data: PathBuf,
    /// The data directory as it was typed.
    typed: &'a Path,
}

impl Quickstart {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<()> {
        if self.agents > self.devices {
            return Err(refused(
                "too-many-agents",
                format!(
                    "{} agents need as many devices, and there are to be {}: give a greater --devices or a smaller --agents",
                    self.agents, self.devices
                ),
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the program can't start its threads")?;
        let stop = runtime.spawn(interrupted());
        let server = runtime.block_on(RunningServer::start(&self.data, self.listen))?;
        let outcome = self.with_server(&runtime, &server, stop);
        runtime.block_on(server.stop());
        outcome
    }

    fn with_server(
        &self,
        runtime: &tokio::runtime::Runtime,
        server: &RunningServer,
        stop: tokio::task::JoinHandle<()>,
    ) -> anyhow::Result<()> {
        let settings = server.settings(&self.data)?;
        let invocation = Invocation::of_this_process(own_context::save(&settings));
        let client = management_client(&settings)?;
        let stage = Stage {
            client: &client,
            settings: &settings,
            group: GROUP.parse().context("the group's name")?,
            data: std::path::absolute(&self.data).context("the data directory")?,
            typed: &self.data,
        };
        devices::make_group(&stage)?;
        runtime.block_on(devices::make(&stage, self.devices))?;

        let mut fleet = Fleet::prepare(&stage, self.agents)?;
        fleet.start()?;
        let all_well = fleet.wait(&stage, &stop)?;
        if stop.is_finished() {
            return fleet.stop();
        }
        farewell::table(&stage, &fleet)?;
        farewell::words(&stage, &invocation, self.devices, self.exit);
        if !self.exit {
            say!("Ctrl-C ends the server and the agents.");
            runtime.block_on(stop).context("the program can't wait")?;
        }
        fleet.stop()?;
        if all_well {
            return Ok(());
        }
        Err(refused(
            "agents-not-enrolled",
            format!(
                "not all agents are enrolled: their logs are in `{}`",
                stage.data.join("agents").display()
            ),
        ))
    }
}
