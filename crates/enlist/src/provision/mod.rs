//! `enlist provision`: enrolls a device that can't run the agent.

mod enroll;
mod report;
mod secret_arg;

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::HardwareIdentity;
use enlist_pki::KeyKind;

use crate::cli::Global;
use crate::credentials::{Owner, Paths};
use crate::group_arg::DeviceArg;
use crate::refresh::Journal;
use crate::say::say;
use crate::span::Span;
use secret_arg::SecretArg;

/// Enroll a device that can't run the agent, and keep its files
///
/// Needs no API token: the group's provisioning secret is what lets the device in. Key and token are
/// made here and kept before the server is asked, and used again if the command is run again: after a
/// lost reply or an interruption it gives the same answer, and on a device that is provisioned it
/// says so and changes nothing.
///
/// Files: NAME_key.pem (0600), NAME_token (0600), NAME_crt.pem (the certificate, then its issuing CA),
/// NAME_ca.pem (the issuing CA, then the root). Those of another device are never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Provision {
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    secret: SecretArg,
    /// Hours that the certificate is to last [default: the group's]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: Option<u32>,
    /// The directory for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// What kind of key to make
    #[arg(long, value_name = "KIND", value_enum, default_value = "p256")]
    key_type: KeyType,
    /// The hardware that the device says it is, such as serial:C02XK1
    #[arg(long, value_name = "KIND:VALUE")]
    hardware: Option<HardwareIdentity>,
    /// How long to wait for a person where the group needs one to say yes: seconds, or a number and
    /// s, m, h or d
    #[arg(long, value_name = "SPAN", default_value = "0")]
    wait: Span,
}

const EXAMPLES: &str = "\
Examples:
  enlist provision test-device-123 -g room2-lights -s \"$(cat secret.txt)\" --ttl 168
  enlist provision test-device-123 -g room2-lights --secret-file secret.txt --out certs
  enlist provision field-unit-7 -g field-units --secret-file secret.txt --wait 1h";

/// The kinds of key that a device may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KeyType {
    P256,
    P384,
    Ed25519,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl From<KeyType> for KeyKind {
    fn from(kind: KeyType) -> Self {
        match kind {
            KeyType::P256 => Self::P256,
            KeyType::P384 => Self::P384,
            KeyType::Ed25519 => Self::Ed25519,
            KeyType::Rsa2048 => Self::Rsa(2048),
            KeyType::Rsa3072 => Self::Rsa(3072),
            KeyType::Rsa4096 => Self::Rsa(4096),
        }
    }
}

impl Provision {
    /// Enrolls the device.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = global.settings()?;
        let secret = self.secret.read()?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("`{}` can't be made", self.out.display()))?;
        let owner = Owner {
            tenant: settings.tenant.clone(),
            group: self.device.group.group,
            name: self.device.name,
        };
        let paths = Paths::of(&self.out, &owner.name);
        let mut lock = paths.lock()?;
        let mut journal = Journal::load(&paths)?;
        journal.finish(&paths)?;

        if let Some(held) = paths.enrolled(&owner, journal.came_by())? {
            match enroll::confirmed(&settings, &held)? {
                enroll::Held::Good(device) => {
                    return report::already(global.output, &paths, &held, &device);
                }
                enroll::Held::Revoked => {
                    say!("What `{}` held was revoked: it gets a new key.", owner.name);
                    paths.clear_away()?;
                    journal = Journal::default();
                    lock = None;
                }
                enroll::Held::Unclear => {}
            }
        }
        let own = paths.key_and_token_or_new(self.key_type.into())?;
        if lock.is_none() {
            lock = paths.lock()?;
        }
        let request = enroll::Request {
            owner: &owner,
            own: &own,
            secret: &secret,
            hardware: self.hardware.as_ref(),
            ttl_h: self.ttl,
            wait: self.wait,
        };
        let reply = request.send(&settings, &paths, &mut journal)?;
        drop(lock);
        report::enrolled(global.output, &paths, &reply)
    }
}
