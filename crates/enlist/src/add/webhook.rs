//! `enlist add webhook`.

use std::path::PathBuf;

use enlist_core::Name;
use enlist_wire::NewWebhook;

use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::say::say;
use crate::text::shown;
use crate::{files, output};

/// Have the server tell somebody what happens, and print the signing secret, alone
///
/// Each event is sent to the URL as signed JSON, at least once, and in order for each device. What can't be
/// told is tried again for a day and then kept as a dead letter. The secret is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddWebhook {
    /// What it is to be called
    #[arg(value_name = "NAME")]
    name: Name,
    /// Who is told: https://host[:port][/path]
    #[arg(long, value_name = "URL")]
    url: String,
    /// The CAs that the receiver is believed by, PEM [default: those of the server's system]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    #[command(flatten)]
    group: AnyGroupArg,
    /// A kind of event that it is told, such as device-enrolled; may be given several times [default: all]
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  enlist add webhook erp --url https://erp.example.com/enlist > erp.secret
  enlist add webhook floor --url https://10.0.0.5:8443/events --ca plant-ca.pem -g room2-lights
  enlist add webhook tickets --url https://tickets.example.com/new --kind clone-suspected --kind refused";

impl AddWebhook {
    /// Adds the webhook.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let ca = self.ca.as_deref().map(files::read_needed).transpose()?;
        let (client, tenant) = global.connect()?;
        let request = NewWebhook {
            name: self.name.to_string(),
            url: self.url,
            ca,
            group: self.group.group.map(|group| group.to_string()),
            kinds: (!self.kinds.is_empty()).then_some(self.kinds),
        };
        let created = client.create_webhook(tenant.as_str(), &request)?;
        let name = shown(&created.webhook.name);
        say!("Webhook `{name}` is there; `enlist test webhook {name}` tries it.");
        output::once(
            global.output,
            &created,
            &created.secret,
            "`enlist refresh webhook`",
        )
    }
}
