//! `enlist get pending`.

use enlist_wire::{Device, DeviceState, DevicesQuery, Hardware, Page};
use serde::Serialize;

use super::listing::{LimitArg, Listing, groups};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;

/// The devices that wait for a person to say yes, with the code that each of them shows
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetPending {
    #[command(flatten)]
    group: AnyGroupArg,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get pending
  enlist get pending -g field-units -o json";

/// A device that waits.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Waiting(pub Device);

impl GetPending {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Waiting>(global, &self.limit);
        for group in groups(&client, &tenant, &self.group)? {
            list.pages(|after, limit| {
                let query = DevicesQuery {
                    after,
                    limit: Some(limit),
                    state: Some(DeviceState::Pending),
                };
                let page = client.devices(tenant.as_str(), &group, &query)?;
                Ok(Page {
                    items: page.items.into_iter().map(Waiting).collect(),
                    next: page.next,
                })
            })?;
            if list.is_full() {
                break;
            }
        }
        list.finish()
    }
}

impl Row for Waiting {
    const COLUMNS: &'static [&'static str] = &[
        "group", "name", "code", "since", "until", "from", "claims", "proved", "secret",
    ];

    fn cells(&self) -> Vec<String> {
        let pending = self.0.pending.as_ref();
        let identity = |hardware: &Hardware| {
            let kind = crate::text::word(&hardware.kind);
            format!("{kind}:{}", hardware.value)
        };
        let claims = self.0.hardware.as_ref().map(identity);
        let proved = self.0.attested.as_ref().map(identity);
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        vec![
            self.0.group.clone(),
            self.0.name.clone(),
            pending.map_or_else(String::new, |pending| pending.code.clone()),
            pending.map_or_else(String::new, |pending| pending.since.to_string()),
            pending
                .and_then(|pending| pending.until)
                .map_or_else(String::new, |until| until.to_string()),
            text(pending.and_then(|pending| pending.from.as_ref())),
            claims.unwrap_or_default(),
            proved.unwrap_or_else(|| match pending.and_then(|one| one.unproved.as_ref()) {
                Some(claim) => format!("unproved: {claim}"),
                None => "unproved".to_owned(),
            }),
            text(pending.and_then(|pending| pending.secret.as_ref())),
        ]
    }
}
