//! `enlist get device`: what is wanted of one device, and what it says, side by side.

use enlist_wire::{ConfigurationNumbers, Device, DeviceReport};
use serde::Serialize;

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::output::{self, Format, Row};
use crate::text::{shown, word};

/// One device: what is wanted of it, what it says of itself, and what it was told to do
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetDevice {
    #[command(flatten)]
    device: DeviceArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get device test-device-123 -g room2-lights
  enlist get device test-device-123 -g room2-lights -o json

Configuration is told by the numbers of its statements, as `enlist get config --history` lists them:
of the schema, of the group's values, and of the device's own.";

impl GetDevice {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = self.device.group.group.as_str();
        let device = client.device(tenant.as_str(), group, self.device.name.as_str())?;
        let format = global.output.unwrap_or(Format::Table);
        output::one(format, &InFull(device))
    }
}

/// A device with all that there is to know of it.
#[derive(Serialize)]
#[serde(transparent)]
struct InFull(Device);

impl Row for InFull {
    const COLUMNS: &'static [&'static str] = &[
        "group",
        "name",
        "state",
        "id",
        "labels",
        "hardware",
        "proved hardware",
        "found hardware",
        "certificate",
        "serial",
        "not after",
        "configuration wanted",
        "wanted since",
        "configuration in force",
        "in force since",
        "configuration refused",
        "last seen",
        "agent",
        "roots",
        "open orders",
        "receipt",
    ];

    fn cells(&self) -> Vec<String> {
        let device = &self.0;
        let report = device.reported.as_ref();
        let found = report.and_then(|one| one.changed_hardware.as_ref());
        let desired = device.desired.as_ref();
        let certificate = device.certificate.as_ref();
        let in_force = report.and_then(|one| one.configuration.as_ref());
        let refused = in_force.and_then(|one| one.refused.as_ref());
        let labels = device.labels.iter();
        let labels: Vec<_> = labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let orders = device.orders.iter();
        let orders: Vec<_> = orders
            .map(|one| format!("{} {}", one.number, word(&one.order)))
            .collect();
        vec![
            device.group.clone(),
            device.name.clone(),
            word(&device.state),
            device.device_id.to_string(),
            labels.join(" "),
            or_nothing(device.hardware.as_ref(), hardware),
            or_nothing(device.attested.as_ref(), hardware),
            or_nothing(found, hardware),
            or_nothing(certificate, |one| word(&one.status)),
            or_nothing(certificate, |one| one.serial.clone()),
            or_nothing(certificate, |one| one.not_after.to_string()),
            or_nothing(desired, |one| numbers(one.numbers)),
            or_nothing(desired, |one| one.since.to_string()),
            or_nothing(in_force, |one| {
                format!("{}, {}", numbers(one.in_force), shown(&one.because))
            }),
            or_nothing(in_force, |one| one.since.to_string()),
            or_nothing(refused, |one| {
                let (reason, detail) = (shown(&one.reason), shown(&one.detail));
                format!("{}: {reason}, {detail} ({})", numbers(one.numbers), one.at)
            }),
            or_nothing(report, |one| one.seen_at.to_string()),
            or_nothing(report.and_then(|one| one.agent.as_deref()), shown),
            or_nothing(report, roots),
            orders.join(", "),
            or_nothing(device.receipt_at, |at| at.to_string()),
        ]
    }
}

fn or_nothing<T>(known: Option<T>, text: impl FnOnce(T) -> String) -> String {
    known.map(text).unwrap_or_default()
}

fn hardware(hardware: &enlist_wire::Hardware) -> String {
    format!("{}:{}", word(&hardware.kind), shown(&hardware.value))
}

/// The first digits tell roots apart.
fn roots(report: &DeviceReport) -> String {
    let short = |root: &String| root.chars().take(16).collect::<String>();
    report.roots.iter().map(short).collect::<Vec<_>>().join(" ")
}

fn numbers(numbers: ConfigurationNumbers) -> String {
    let ConfigurationNumbers {
        schema,
        group,
        device,
    } = numbers;
    format!("schema {schema}, group {group}, device {device}")
}
