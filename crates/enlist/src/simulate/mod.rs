//! `enlist simulate`: a fleet of virtual devices against a real server.

mod clock;
mod device;
mod disk;
mod gauge;
mod ledger;
mod net;
mod phase;
mod plot;
mod profile;
mod report;
mod run;
mod server;
mod stage;
mod verify;
mod watch;

use std::path::PathBuf;

use crate::cli::Global;
use crate::span::Span;
pub use profile::Profile;

/// Have a fleet of virtual devices enroll, poll and renew
///
/// Each device has a real key and the agent's own state machine, and talks real TLS. A server of the
/// simulator's own is started for the run, unless one is named; there the devices go into a new group
/// `sim-…`, which stays when the run is over. In the end what the devices hold is compared with what is on
/// the server's record, and the exit status is 1 where they don't agree.
///
/// launch-day: all enroll. steady: an enrolled fleet polls and renews as it is due, in compressed time.
/// renewal-storm: all renew within the window. power-cut: all start again and come back within the window,
/// and one in ten is due to renew.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Simulate {
    /// How many devices
    #[arg(long, value_name = "COUNT", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    devices: u32,
    /// What they do
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = Profile::LaunchDay)]
    profile: Profile,
    #[command(flatten)]
    which: Where,
    /// Devices that begin to enroll, a second [default: as many as there can be]
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How long it lasts at most [default: 1m for steady, until all are done for the others]
    #[arg(long, value_name = "TIME")]
    duration: Option<Span>,
    /// Within which time all renew or come back
    #[arg(long, value_name = "TIME", default_value = "60")]
    window: Span,
    /// How many times as fast as the system's the clocks of a steady fleet run
    #[arg(long, value_name = "FACTOR", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    time_factor: u32,
    /// How many devices are connected at one time, at most
    #[arg(long, value_name = "COUNT", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// Write the report there, as JSON, over what was there
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Draw rate and latency over time there, as SVG, over what was there
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Go on where the server has devices that are not simulated
    #[arg(long)]
    yes: bool,
}

/// Which server.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// The server in place of one of the simulator's own; several where devices are to be spread over them
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub server: Vec<String>,
    /// The file with its root
    #[arg(long, value_name = "FILE", requires = "server")]
    pub ca: Option<PathBuf>,
    /// The file with an API token for it, of the role admin
    #[arg(long, value_name = "FILE", requires = "server")]
    pub token_file: Option<PathBuf>,
    /// The process of that server, where it is on this machine, to see what it uses
    #[arg(long, value_name = "PID", requires = "server")]
    pub server_pid: Option<u32>,
    /// Where the simulator's own server keeps its record; it is not removed then
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist simulate
  enlist simulate --devices 10000 --rate 300 --plot launch.svg
  enlist simulate --devices 500 --profile power-cut --window 1m --report report.json
  enlist simulate --profile steady --server https://localhost:8443 --ca root.pem --token-file admin.token";

impl Simulate {
    /// Runs it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        run::run(&self, global)
    }
}
