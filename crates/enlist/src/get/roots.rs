//! `enlist get roots`.

use enlist_wire::{Page, Root, RootStanding};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::context::management_client;
use crate::output::{self, Row};
use crate::roots::take_up;
use crate::text::word;

/// The roots to believe, PEM; with -o, all there are and were
///
/// The current one comes first, then the next one where there is one: a file for `enlist login --ca`
/// and ENLIST_CA, and for `trust_anchors_pem` of devices.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetRoots {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get roots > root.pem
  enlist get roots -o table";

impl GetRoots {
    /// Prints them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = global.settings()?;
        let roots = management_client(&settings)?.roots()?.items;
        take_up(&settings, &roots)?;
        if global.output.is_some() {
            let mut list = Listing::of::<Root>(global, &self.limit);
            list.pages(|_, _| Ok(Page::whole(roots.clone())))?;
            return list.finish();
        }
        for standing in [RootStanding::Current, RootStanding::Next] {
            for root in roots.iter().filter(|root| root.standing == standing) {
                output::line(root.certificate.trim_end())?;
            }
        }
        Ok(())
    }
}

impl Row for Root {
    const COLUMNS: &'static [&'static str] = &["standing", "fingerprint", "created", "expires"];

    fn cells(&self) -> Vec<String> {
        vec![
            word(&self.standing),
            self.fingerprint.clone(),
            self.created_at.to_string(),
            self.not_after.to_string(),
        ]
    }
}
