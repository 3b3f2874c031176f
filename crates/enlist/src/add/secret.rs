//! `enlist add secret`.

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output;
use crate::secret_bounds::{SecretBoundsArgs, say_made};

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
    #[command(flatten)]
    bounds: SecretBoundsArgs,
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
        let request = self.bounds.request(self.label);
        let created = client.create_secret(tenant.as_str(), group.as_str(), &request)?;
        say_made(group, &created);
        output::once(
            global.output,
            &created,
            &created.secret,
            &format!("`enlist add secret -g {group}`"),
        )
    }
}
