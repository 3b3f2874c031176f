//! `enlist add secret`.

use enlist_core::{Name, Network, Rate};
use enlist_wire::{NewSecret, SecretRate};

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output;
use crate::say::say;
use crate::span::Span;

/// Make another provisioning secret for a group and print it, alone
///
/// The secret is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddSecret {
    #[command(flatten)]
    group: GroupArg,
    /// What it is for
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// How long it is good: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN", visible_alias = "expires")]
    expires_in: Option<Span>,
    /// The most devices that it enrolls
    #[arg(long, value_name = "COUNT")]
    max_devices: Option<u64>,
    /// How many of them within a time, such as 100/h or 5/10m: that many at once, and no more than that on average
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,
    /// Where they have to ask from: a range of addresses, such as 10.0.0.0/8; may be given more than once
    #[arg(long = "network", value_name = "RANGE")]
    networks: Vec<Network>,
    /// The manifest that they have to be on
    #[arg(long, value_name = "NAME")]
    manifest: Option<Name>,
}

const EXAMPLES: &str = "\
Examples:
  enlist add secret -g room2-lights > secret.txt
  enlist add secret -g room2-lights --label line-4 --expires-in 30d --max-devices 5000
  enlist add secret -g room2-lights --rate 100/h --network 10.0.0.0/8 --network 2001:db8::/32
  enlist add secret -g room2-lights --manifest batch-7 --max-devices 100";

impl AddSecret {
    /// Makes the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let request = NewSecret {
            label: self.label,
            expires_in_s: self.expires_in.map(|span| span.0),
            max_devices: self.max_devices,
            rate: self.rate.map(|rate| SecretRate {
                devices: rate.devices(),
                per_s: rate.per().as_secs(),
            }),
            networks: self.networks.iter().map(Network::to_string).collect(),
            manifest: self.manifest.map(String::from),
        };
        let created = client.create_secret(tenant.as_str(), group.as_str(), &request)?;
        say!(
            "Provisioning secret {} of group `{group}` is there.",
            created.secret_id
        );
        output::once(
            global.output,
            &created,
            &created.secret,
            &format!("`enlist add secret -g {group}`"),
        )
    }
}
