//! `enlist approve device | root`.

use enlist_core::{Clock, SystemClock};
use enlist_pki::Certificate;
use enlist_signed::{Envelope, Trust};
use enlist_wire::{RootApproval, RootStanding};

use crate::cli::Global;
use crate::context::management_client;
use crate::failure::refused;
use crate::group_arg::GroupArg;
use crate::say::say;
use crate::waiting::{Those, Word};

/// Say yes to something that waits for it
#[derive(Debug, clap::Args)]
pub struct Approve {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Device(Device),
    Root(Root),
}

/// Say yes to devices that wait for approval
///
/// The code alone finds the device that shows it. What else selects devices selects those of all groups,
/// unless -g names one, and is shown before it is done.
#[derive(Debug, clap::Args)]
#[command(after_help = DEVICE)]
struct Device {
    #[command(flatten)]
    those: Those,
}

const DEVICE: &str = "\
Examples:
  enlist get pending
  enlist approve device field-unit-7 -g field-units
  enlist approve device --code K7P-3QF
  enlist approve device --attested -l region=north --yes -o json";

/// Say yes to the next root for a group that signs its configuration itself
///
/// Devices of such a group take no new root without the signature of the group's own key, however well
/// the old root vouches for it: nobody who holds the server alone can change whom they believe.
#[derive(Debug, clap::Args)]
#[command(after_help = ROOT)]
struct Root {
    #[command(flatten)]
    group: GroupArg,
    /// What the root's SHA-256 has to be, as whoever made it tells you
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
}

const ROOT: &str = "\
Examples:
  enlist --signing-method=local --signing-key=key.pem approve root -g vaults
  enlist --signing-method=external --signing-command=sign-with-card approve root -g vaults";

impl Approve {
    /// Says it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Device(device) => device.those.run(Word::Approve, global),
            Noun::Root(root) => root.run(global),
        }
    }
}

impl Root {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = global.settings()?;
        let client = management_client(&settings)?;
        let (tenant, group) = (settings.tenant, self.group.group);
        let roots = client.roots()?.items;
        let next = roots
            .iter()
            .find(|root| root.standing == RootStanding::Next)
            .ok_or_else(|| {
                refused(
                    "no-next-root",
                    "there is no next root: `enlist add root` makes one",
                )
            })?;
        // What is signed is what is seen: the certificate's own digest, not what the server says of it.
        let fingerprint = Certificate::from_pem(&next.certificate)?.fingerprint_hex();
        let expected = self.fingerprint.map(|hex| hex.to_ascii_lowercase());
        if expected.is_some_and(|expected| expected != fingerprint) {
            return Err(refused(
                "another-root",
                format!("the next root is another one: its SHA-256 is {fingerprint}"),
            ));
        }
        let keys = client.signing(tenant.as_str(), group.as_str())?.keys;
        let signer = global.signing.signer(&keys)?.ok_or_else(|| {
            refused(
                "signing-arguments",
                "an approval is signed with the group's own key: name it with --signing-method=local --signing-key=FILE, or external",
            )
        })?;
        let trust = Trust {
            tenant: tenant.clone(),
            group: group.clone(),
            root: fingerprint.clone(),
            at: SystemClock.now(),
        };
        let envelope = Envelope::seal(&trust, &*signer)?;
        let approval = RootApproval {
            approval: enlist_wire::Envelope(envelope.to_value()),
        };
        client.approve_root(tenant.as_str(), group.as_str(), &approval)?;
        say!("Root {fingerprint} is approved for group `{group}`.");
        Ok(())
    }
}
