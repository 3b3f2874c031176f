//! The `enlist-agent` command.

mod commands;
mod condition;
mod config;
mod decommission;
mod doctor;
mod hold;
mod identity;
mod line;
mod pass;
mod provision;
mod renew;
mod report;
mod run;
mod status;
mod tell;
mod wait_for_configuration;
mod wiping;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{SystemClock, SystemRng};

use line::{Answer, Given, read};

use crate::config::Configuration;
use crate::disk::{FileDisk, Keys};
use crate::drive::{Agent, OpenError, World};
use crate::export::Export;
use crate::log::Log;
use crate::net::HttpNet;
use crate::time::{BootTime, DeviceClock, built_at};
use crate::{configuration, explain, hooks};

/// Runs the command that `arguments` (the program's name first) say, and returns its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match read(&commands::ROOT, arguments) {
        Ok(given) => carry_out(&given).into(),
        // A closed pipe is nobody's fault.
        Err(Answer::Asked(text)) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            Exit::Done.into()
        }
        Err(Answer::Wrong(text)) => {
            let _ = std::io::stderr().write_all(text.as_bytes());
            Exit::Misconfigured.into()
        }
    }
}

fn carry_out(given: &Given) -> Exit {
    let (config, wait) = (given.path("config"), given.number("wait"));
    let output = match given.text("output").as_deref() {
        Some("json") => Output::Json,
        _ => Output::Text,
    };
    match given.commands() {
        ["run"] => run::run(&config, given.has("single-check")),
        ["provision"] => provision::provision(&config, wait, output),
        ["status"] => status::status(&config, output),
        ["identity"] => identity::identity(given.maybe_path("config").as_deref(), output),
        ["doctor"] => doctor::doctor(&config, output),
        ["config", what] => {
            let what = match *what {
                "log" => config::What::Log,
                "reset" => config::What::Reset {
                    wait: Duration::from_secs(wait),
                },
                "verify" => config::What::Verify,
                _ => config::What::Show {
                    reveal: given.has("reveal"),
                },
            };
            config::config(&config, what, output)
        }
        ["renew"] => renew::renew(&config, wait, output),
        ["decommission"] => decommission::decommission(
            &config,
            given.text("reason"),
            given.has("yes"),
            wait,
            output,
        ),
        // What is not in the table is not read.
        _ => Exit::Misconfigured,
    }
}

/// The command as clap knows it, for man pages and completions.
#[cfg(feature = "clap")]
#[must_use]
pub fn command() -> clap::Command {
    line::describe(&commands::ROOT).version(env!("CARGO_PKG_VERSION"))
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

/// For whom results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

type DeviceAgent = Agent<FileDisk, HttpNet>;

/// The agent of this device.
fn agent(
    configuration: &Configuration,
    disk: FileDisk,
    log: &Log,
) -> Result<DeviceAgent, OpenError> {
    let clock = Arc::new(DeviceClock::new(
        Arc::new(SystemClock),
        Arc::new(BootTime),
        built_at(),
    ));
    let net = HttpNet::new(
        configuration.server_url.clone(),
        configuration.trust.clone(),
        configuration.network_timeout,
        clock.clone(),
    );
    let (commands, log) = (configuration.after_renew.clone(), log.clone());
    let export = Export::of(configuration);
    let own = || configuration.persistent_directory.join("current");
    let directory = export.as_ref().map_or_else(own, Export::current);
    let rng = Arc::new(SystemRng);
    let keys = Keys::open(
        &configuration.key_store,
        configuration.key_kind,
        &configuration.persistent_directory,
        rng.clone(),
    )?;
    let world = World {
        clock: clock.clone(),
        device_clock: Some(clock),
        rng,
        export,
        check: Box::new(configuration::hook(configuration)),
        hooks: Box::new(move |identity| hooks::run(&commands, identity, &directory, &log)),
    };
    Agent::open(configuration, disk, keys, net, world, "/".as_ref())
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
