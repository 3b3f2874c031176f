//! The bounds of a provisioning secret: as flags, and in words.

use std::time::Duration;

use enlist_core::{Name, Network, Rate};
use enlist_wire::{NewSecret, SecretCreated, SecretRate};

use crate::say::say;
use crate::span::Span;

/// The flags.
#[derive(Debug, Default, clap::Args)]
pub struct SecretBoundsArgs {
    /// How long the secret is good: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN", visible_alias = "expires")]
    expires_in: Option<Span>,
    /// The most devices that the secret enrolls
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

impl SecretBoundsArgs {
    /// A secret with these bounds, as the server is asked for it.
    pub fn request(&self, label: Option<String>) -> NewSecret {
        NewSecret {
            label,
            expires_in_s: self.expires_in.map(|span| span.0),
            max_devices: self.max_devices,
            rate: self.rate.map(|rate| SecretRate {
                devices: rate.devices(),
                per_s: rate.per().as_secs(),
            }),
            networks: self.networks.iter().map(Network::to_string).collect(),
            manifest: self.manifest.as_ref().map(Name::to_string),
        }
    }
}

/// Says which secret was made, and what bounds it.
pub fn say_made(group: &Name, created: &SecretCreated) {
    let label = match created.label.as_str() {
        "" => String::new(),
        label => format!(" (`{label}`)"),
    };
    say!(
        "Provisioning secret {}{label} of group `{group}` is there. {}",
        created.secret_id,
        bounds(created)
    );
}

fn bounds(created: &SecretCreated) -> String {
    let bounds = [
        created.max_devices.map(|most| match most {
            1 => "for 1 device".to_owned(),
            _ => format!("for up to {most} devices"),
        }),
        created.rate.map(|each| format!("at {}", rate(each))),
        (!created.networks.is_empty()).then(|| format!("from {}", created.networks.join(" "))),
        created
            .manifest
            .as_ref()
            .map(|name| format!("on manifest `{name}`")),
        created.expires_at.map(|end| format!("until {end}")),
    ];
    let bounds: Vec<_> = bounds.into_iter().flatten().collect();
    if bounds.is_empty() {
        "It has no bounds: any number of devices, from anywhere, for ever.".to_owned()
    } else {
        format!("It is good {}.", bounds.join(", "))
    }
}

/// A rate as it is given.
pub fn rate(rate: SecretRate) -> String {
    let per = Duration::from_secs(rate.per_s);
    Rate::new(rate.devices, per).map_or_else(
        |_| format!("{}/{}s", rate.devices, rate.per_s),
        |rate| rate.to_string(),
    )
}
