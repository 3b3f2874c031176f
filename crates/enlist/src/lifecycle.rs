//! The verbs of a device's life: `enlist reject | suspend | resume | decommission |
//! allow-reenroll device …`.

use clap::{Args, Subcommand, ValueEnum};
use enlist_wire::{Device, DeviceAction};

use crate::cli::Global;
use crate::decommission::Decommission;
use crate::group_arg::DeviceArg;
use crate::output;
use crate::say::say;
use crate::text::{shown, word};
use crate::waiting::{Those, Word};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Lifecycle {
    /// Say no to devices that wait for approval
    ///
    /// The code alone finds the device that shows it. What else selects devices selects those of all groups,
    /// unless -g names one, and is shown before it is done.
    #[command(after_help = REJECT)]
    Reject(Reject),
    /// Put a device out of service for now; its certificate goes on hold
    #[command(after_help = SUSPEND)]
    Suspend(Target),
    /// Put a suspended device back into service
    #[command(after_help = RESUME)]
    Resume(Target),
    /// Take a device out of service for good: it wipes itself, and hands in a receipt
    ///
    /// It learns of it at its next poll, or at once if it waits; one that is offline learns of it when it
    /// is back. Where the group's operators sign by themselves, this takes their signature: give
    /// --signing-method and the key or command.
    #[command(after_help = DECOMMISSION)]
    Decommission(Decommission),
    /// Let a decommissioned or deleted device enroll again, once
    #[command(after_help = ALLOW_REENROLL)]
    AllowReenroll(Target),
}

const REJECT: &str = "\
Examples:
  enlist reject device field-unit-7 -g field-units
  enlist reject device --older-than 2d --yes";
const SUSPEND: &str = "\
Examples:
  enlist suspend device test-device-123 -g room2-lights --reason stolen";
const RESUME: &str = "Examples:\n  enlist resume device test-device-123 -g room2-lights";
const DECOMMISSION: &str = "\
Examples:
  enlist decommission device test-device-123 -g room2-lights
  enlist decommission device test-device-123 -g room2-lights --wait
  enlist decommission device test-device-123 -g room2-lights --give-up";
const ALLOW_REENROLL: &str = "\
Examples:
  enlist allow-reenroll device test-device-123 -g room2-lights";

/// What `reject` takes.
#[derive(Debug, Args)]
pub struct Reject {
    /// What it is about
    #[arg(value_name = "device", hide_possible_values = true)]
    noun: Noun,
    #[command(flatten)]
    those: Those,
}

/// What the other verbs take.
#[derive(Debug, Args)]
pub struct Target {
    /// What it is about
    #[arg(value_name = "device", hide_possible_values = true)]
    noun: Noun,
    #[command(flatten)]
    pub device: DeviceArg,
    /// Why, for the record
    #[arg(long, value_name = "WORDS")]
    pub reason: Option<String>,
}

/// The one noun that has a life.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Noun {
    Device,
}

impl Lifecycle {
    /// Asks the server for the transition.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (verb, target) = match self {
            Self::Decommission(verb) => return verb.run(global),
            Self::Reject(reject) => {
                let Noun::Device = reject.noun;
                return reject.those.run(Word::Reject, global);
            }
            Self::Suspend(target) => (Verb::Suspend, target),
            Self::Resume(target) => (Verb::Resume, target),
            Self::AllowReenroll(target) => (Verb::AllowReenroll, target),
        };
        let Noun::Device = target.noun;
        let (client, tenant) = global.connect()?;
        let (tenant, group) = (tenant.as_str(), target.device.group.group.as_str());
        let name = target.device.name.as_str();
        let action = &DeviceAction {
            reason: target.reason,
            ..DeviceAction::default()
        };
        let device = match verb {
            Verb::Suspend => client.suspend(tenant, group, name, action),
            Verb::Resume => client.resume(tenant, group, name, action),
            Verb::AllowReenroll => client.allow_reenroll(tenant, group, name, action),
        }?;
        tell(verb, &device);
        match global.output {
            Some(format) => output::one(format, &device),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Suspend,
    Resume,
    AllowReenroll,
}

fn tell(verb: Verb, device: &Device) {
    let name = shown(&device.name);
    match verb {
        Verb::AllowReenroll => say!("Device `{name}` may enroll again, once."),
        _ => say!("Device `{name}` is {}.", word(&device.state)),
    }
}
