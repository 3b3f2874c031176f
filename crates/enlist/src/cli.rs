//! The grammar: verb, then noun.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use enlist_core::Name;
use enlist_wire::Client;

use crate::context::{Settings, management_client};
use crate::failure::report;
use crate::output::Format;
use crate::signing::SigningArgs;
use crate::{
    accept, add, apply, approve, backup, completions, delete, deprovision, device_config, diff,
    export, get, identity, import, lifecycle, login, man, migrate, provision, refresh, renew,
    reset, restore, retire, retry, rollback, serve, set, sign, test, verify,
};
#[cfg(unix)]
use crate::{agent, quickstart, simulate};

/// Provisions devices: identities, credentials and certificates, from the factory to the field
#[derive(Debug, Parser)]
#[command(name = "enlist", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EVERYWHERE: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The tenant that the command is about [default: the context's, else `default`]
    #[arg(short = 't', long, global = true, value_name = "TENANT", help_heading = EVERYWHERE)]
    pub tenant: Option<Name>,
    /// How to print data: json, table or csv
    #[arg(short = 'o', long, global = true, value_name = "FORMAT", value_enum, hide_possible_values = true, help_heading = EVERYWHERE)]
    pub output: Option<Format>,
    /// A saved context to use in place of the current one
    #[arg(long, global = true, value_name = "NAME", help_heading = EVERYWHERE)]
    pub context: Option<Name>,
    /// How what devices are to believe is signed.
    #[command(flatten)]
    pub signing: SigningArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[cfg(unix)]
    Quickstart(quickstart::Quickstart),
    Serve(Box<serve::Serve>),
    Login(login::Login),
    Set(set::Set),
    Add(add::Add),
    Get(get::Get),
    Delete(delete::Delete),
    Accept(accept::Accept),
    Apply(apply::Apply),
    Approve(approve::Approve),
    Backup(backup::Backup),
    Diff(diff::Diff),
    Rollback(rollback::Rollback),
    Retry(retry::Retry),
    Test(test::Test),
    Export(export::Export),
    GenDeviceConfig(device_config::GenDeviceConfig),
    Identity(identity::Identity),
    Import(import::Import),
    Migrate(migrate::Migrate),
    Provision(provision::Provision),
    Deprovision(deprovision::Deprovision),
    Refresh(refresh::Refresh),
    Renew(renew::Renew),
    Reset(reset::Reset),
    Restore(restore::Restore),
    Retire(retire::Retire),
    Sign(sign::Sign),
    #[cfg(unix)]
    Simulate(Box<simulate::Simulate>),
    Verify(verify::Verify),
    #[command(flatten)]
    Lifecycle(lifecycle::Lifecycle),
    #[cfg(unix)]
    Agent(agent::Agent),
    Completions(completions::Completions),
    Man(man::Man),
}

const EXAMPLES: &str = "\
Examples:
  enlist quickstart                                   everything on this machine, in one go
  enlist login --server https://enlist.example.com:8443 --ca root.pem --token-file admin.token
  enlist add group room2-lights > secret.txt          the provisioning secret, alone
  enlist add device -g room2-lights test-device-123
  enlist provision test-device-123 -g room2-lights -s \"$(cat secret.txt)\" --ttl 168
  enlist get devices -g room2-lights -o json

Data goes to standard output, words to standard error.

Environment:
  ENLIST_SERVER, ENLIST_CA, ENLIST_TOKEN   the server's address, the file with its root, and an API
                                           token; they win over the saved context
  NO_COLOR                                 no colours

Exit status:
  0  done
  1  refused, or failed
  2  the command line can't be understood
  3  the server can't be reached";

impl Cli {
    /// Does what was asked, and says what went wrong. `program` is the name it was called by.
    pub fn run(self, program: &str) -> ExitCode {
        let global = &self.global;
        if let Err(error) = global.signing.check() {
            return report(&Err(error));
        }
        let outcome = match self.verb {
            #[cfg(unix)]
            Verb::Quickstart(verb) => verb.run(),
            Verb::Serve(verb) => verb.run(global),
            Verb::Login(verb) => verb.run(global),
            Verb::Set(verb) => verb.run(global),
            Verb::Add(verb) => verb.run(global),
            Verb::Get(verb) => verb.run(global),
            Verb::Delete(verb) => verb.run(global),
            Verb::Accept(verb) => verb.run(global),
            Verb::Apply(verb) => verb.run(global),
            Verb::Approve(verb) => verb.run(global),
            Verb::Backup(verb) => verb.run(global),
            // Its exit status is that of diff.
            Verb::Diff(verb) => return verb.run(global),
            Verb::Rollback(verb) => verb.run(global),
            Verb::Retry(verb) => verb.run(global),
            Verb::Test(verb) => verb.run(global),
            Verb::Export(verb) => verb.run(global),
            Verb::GenDeviceConfig(verb) => verb.run(global),
            Verb::Identity(verb) => verb.run(global),
            Verb::Import(verb) => verb.run(global),
            Verb::Migrate(verb) => verb.run(global),
            Verb::Provision(verb) => verb.run(global),
            Verb::Deprovision(verb) => verb.run(global),
            Verb::Refresh(verb) => verb.run(global),
            Verb::Renew(verb) => verb.run(global),
            Verb::Reset(verb) => verb.run(global),
            Verb::Restore(verb) => verb.run(global),
            Verb::Retire(verb) => verb.run(global),
            Verb::Sign(verb) => verb.run(),
            #[cfg(unix)]
            Verb::Simulate(verb) => verb.run(global),
            Verb::Verify(verb) => verb.run(global),
            Verb::Lifecycle(verb) => verb.run(global),
            // The agent has exit statuses of its own.
            #[cfg(unix)]
            Verb::Agent(verb) => return verb.run(program),
            Verb::Completions(verb) => verb.run(program),
            Verb::Man(verb) => verb.run(program),
        };
        report(&outcome)
    }
}

impl Global {
    /// Which server, and whom to believe.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        Settings::resolve(self.context.as_ref(), self.tenant.as_ref())
    }

    /// The server's management API, and the tenant to name in calls.
    pub fn connect(&self) -> anyhow::Result<(Client, Name)> {
        let settings = self.settings()?;
        Ok((management_client(&settings)?, settings.tenant))
    }
}

/// The name that the program was called by, `enlist` where that can't be told.
pub fn program_name(arg: Option<&OsString>) -> String {
    arg.and_then(|arg| Path::new(arg).file_stem())
        .and_then(|name| name.to_str())
        .filter(|name| !name.is_empty())
        .unwrap_or("enlist")
        .to_owned()
}

/// The grammar, with the program's name in its help and examples.
pub fn command(program: &str) -> clap::Command {
    named(Cli::command(), program).bin_name(program)
}

fn named(command: clap::Command, program: &str) -> clap::Command {
    let command = match command.get_after_help().map(ToString::to_string) {
        Some(help) if program != "enlist" => {
            command.after_help(help.replace("  enlist ", &format!("  {program} ")))
        }
        _ => command,
    };
    command.mut_subcommands(|sub| named(sub, program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line)
    }

    #[test]
    fn the_grammar_holds_together() {
        Cli::command().debug_assert();
        command("iotactl").debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        fn walk(command: &clap::Command, path: &str, without: &mut Vec<String>) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                if !sub.has_subcommands() && sub.get_after_help().is_none() {
                    without.push(path.clone());
                }
                walk(sub, &path, without);
            }
        }
        let mut without = Vec::new();
        walk(&Cli::command(), "enlist", &mut without);
        assert_eq!(without, Vec::<String>::new());
    }

    #[test]
    fn examples_are_lines_that_parse() {
        fn walk(command: &clap::Command, lines: &mut Vec<String>) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.map(|help| help.replace("\\\n      ", ""));
            let examples = help.iter().flat_map(|help| help.lines());
            lines.extend(
                examples
                    .filter(|line| line.starts_with("  enlist "))
                    .map(|line| line.trim().to_owned()),
            );
            for sub in command.get_subcommands() {
                walk(sub, lines);
            }
        }
        let mut lines = Vec::new();
        walk(&Cli::command(), &mut lines);
        assert!(lines.len() > 20);
        for line in lines {
            // What a shell would make of it, as far as the examples go: words after two spaces
            // explain, and a redirection is the shell's.
            let bare = line.split("   ").next().unwrap_or_default();
            let bare = bare.split(" > ").next().unwrap_or_default();
            let bare = bare.split(" | ").next().unwrap_or_default();
            let bare = bare
                .replace("\"$(cat secret.txt)\"", "eps_x")
                .replace('"', "");
            let words = bare.split_whitespace();
            assert!(parse(&words.collect::<Vec<_>>()).is_ok(), "{line}");
        }
    }

    #[test]
    fn the_program_has_the_name_it_was_called_by() {
        assert_eq!(
            program_name(Some(&"/usr/local/bin/iotactl".into())),
            "iotactl"
        );
        assert_eq!(program_name(None), "enlist");
        let help = command("trh").render_long_help().to_string();
        assert!(help.contains("Usage: trh"), "{help}");
        assert!(help.contains("  trh quickstart"), "{help}");
    }

    #[test]
    fn lines_of_the_field_parse_as_they_are_typed() {
        for line in [
            &["iotactl", "add", "group", "room2-lights"][..],
            &[
                "iotactl",
                "add",
                "device",
                "-g",
                "room2-lights",
                "test-device-123",
            ],
            &[
                "iotactl",
                "provision",
                "test-device-123",
                "-g",
                "room2-lights",
                "-s",
                "eps_x",
                "--ttl",
                "168",
            ],
            &[
                "trh",
                "--signing-method=remote",
                "gen-device-config",
                "--device-name=my_device_name",
                "--enrollment-type=group-enroll",
                "--persist=/path/on/device",
            ],
            &[
                "trh",
                "--signing-method=remote",
                "gen-device-config",
                "--device-name=my_device_name",
                "--enrollment-type=pre-enroll",
                "--persist=/path/on/device",
            ],
            &["enlist", "identity", "--device-name=n", "--pre-enroll"],
            &[
                "enlist",
                "add",
                "devices",
                "-g",
                "g",
                "--count",
                "100000",
                "--prefix",
                "test-device-",
                "--names-file",
                "names.txt",
            ],
            &["enlist", "add", "devices", "--from", "-"],
            &["enlist", "approve", "device", "n", "-g", "g"],
            &[
                "enlist",
                "refresh",
                "provision-secret",
                "g",
                "--overlap",
                "1h",
            ],
            &["enlist", "-t", "acme", "get", "devices", "-o", "json"],
            &["enlist", "agent", "run", "-c", "config.json"],
            &["enlist", "agent", "--help"],
        ] {
            assert!(parse(line).is_ok(), "{line:?}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn a_name_outside_the_rule_is_refused_with_the_nearest_one() {
        let error = parse(&["enlist", "add", "group", "Room_2"]).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(crate::failure::USAGE));
        assert!(error.to_string().contains("room-2"), "{error}");
    }
}
