//! The `enlist-agent` command.

mod identity;
mod pass;
mod provision;
mod renew;
mod report;
mod run;
mod status;
mod tell;
mod wait_for_configuration;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use enlist_core::{SystemClock, SystemRng};

use crate::config::Configuration;
use crate::disk::FileDisk;
use crate::drive::{Agent, OpenError, World};
use crate::log::Log;
use crate::net::HttpNet;
use crate::{explain, hooks};

/// Runs the command that `arguments` (the program's name first) say, and returns its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe is nobody's fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let exit = match arguments.command {
        Command::Run { config } => run::run(&config),
        Command::Provision {
            config,
            wait,
            output,
        } => provision::provision(&config, wait, output),
        Command::Status { config, output } => status::status(&config, output),
        Command::Identity { config, output } => identity::identity(config.as_deref(), output),
        Command::Renew {
            config,
            wait,
            output,
        } => renew::renew(&config, wait, output),
    };
    exit.into()
}

/// The command as clap knows it, for man pages and completions.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Exit statuses; the help text lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    Misconfigured = 2,
    Expired = 3,
    NotYet = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

const DEFAULT_CONFIG: &str = "/etc/enlist/config.json";

/// Gives this device an identity and keeps its certificate fresh.
#[derive(Parser)]
#[command(
    name = "enlist-agent",
    version,
    after_help = "\
Exit status:
  0  done, or all is well
  1  refused, failed, or not enrolled
  2  the command line or the configuration is wrong
  3  status: the certificate has expired
  4  not yet: the server can't be reached, or a person has to say yes first

Examples:
  enlist-agent provision -c config.json     enroll once
  enlist-agent run -c config.json           enroll and renew, until stopped
  enlist-agent status -c config.json -o json"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enroll, and renew the certificate in time, until stopped
    #[command(after_help = "\
Waits for a configuration that is not there yet. SIGTERM stops, SIGHUP reads the configuration again,
SIGUSR1 renews now. Speaks systemd's readiness and watchdog protocol.")]
    Run {
        /// The configuration file
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
    },
    /// Enroll once; a device that is enrolled already stays as it is
    #[command(after_help = "\
Example:
  enlist-agent provision -c config.json -o json | jq -r .certificate")]
    Provision {
        /// The configuration file
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// Keep trying for so long while the server can't be reached or a person has to say yes
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        wait: u64,
        /// How to print the result
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Show who this device is and until when its certificate is good
    Status {
        /// The configuration file
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// How to print the result
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Show what this device can say about its hardware, what is used of it, and why
    Identity {
        /// The configuration file, if there is one
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// How to print the result
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Renew the certificate now, due or not
    #[command(after_help = "\
While `enlist-agent run` is at work in the same directory, it is asked to do it.")]
    Renew {
        /// The configuration file
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// Keep trying for so long while the server can't be reached
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        wait: u64,
        /// How to print the result
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

type DeviceAgent = Agent<FileDisk, HttpNet>;

/// The agent of this device.
fn agent(
    configuration: &Configuration,
    disk: FileDisk,
    log: &Log,
) -> Result<DeviceAgent, OpenError> {
    let clock = Arc::new(SystemClock);
    let net = HttpNet::new(
        configuration.server_url.clone(),
        configuration.trust.clone(),
        configuration.network_timeout,
        clock.clone(),
    );
    let (commands, log) = (configuration.after_renew.clone(), log.clone());
    let directory = configuration.persistent_directory.join("current");
    let world = World {
        clock,
        rng: Arc::new(SystemRng),
        hooks: Box::new(move |identity| hooks::run(&commands, identity, &directory, &log)),
    };
    Agent::open(configuration, disk, net, world, "/".as_ref())
}

/// Words for people, on standard error.
fn say(error: &dyn std::error::Error) {
    let words = crate::log::one_line(&explain(error));
    let _ = writeln!(std::io::stderr(), "enlist-agent: {words}");
}

/// Data, on standard output. A reader that went away is no failure.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
