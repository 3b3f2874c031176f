//! `enlist get group`: one group with all its rules.

use enlist_core::Name;
use enlist_wire::{Allocation, Group, ZeroTouch};
use serde::Serialize;

use crate::cli::Global;
use crate::output::{self, Format, Row};
use crate::text::{word, yes_or_no};

/// One group: who gets in and how, what its certificates are, and what its devices keep to
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetGroup {
    /// The group
    #[arg(value_name = "NAME")]
    name: Name,
}

const EXAMPLES: &str = "\
Examples:
  enlist get group field-units
  enlist get group field-units -o json";

impl GetGroup {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = client.group(tenant.as_str(), self.name.as_str())?;
        let format = global.output.unwrap_or(Format::Table);
        output::one(format, &InFull(group))
    }
}

/// A group with all its rules.
#[derive(Serialize)]
#[serde(transparent)]
struct InFull(Group);

impl Row for InFull {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "enrollment",
        "zero-touch",
        "zero-touch manifest",
        "without proof",
        "allocation",
        "hook",
        "hardware is identity",
        "approval timeout",
        "lifetime",
        "max lifetime",
        "recovery window",
        "storage time",
        "server auth",
        "dns suffix",
        "csr extras",
        "key rotation",
        "on hardware change",
        "on clone",
        "signing",
        "created",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(group) = self;
        let (profile, policy) = (&group.profile, &group.policy);
        let zero_touch = group.zero_touch.as_ref();
        let hours = |hours: Option<u32>| hours.map(|hours| format!("{hours} h"));
        let manifest = zero_touch.and_then(|rules| rules.manifest.clone());
        vec![
            group.name.clone(),
            word(&group.enrollment),
            zero_touch.map_or_else(|| "none".to_owned(), proofs),
            manifest.unwrap_or_default(),
            zero_touch.map_or_else(String::new, |rules| word(&rules.without_proof)),
            allocation(group.allocation.as_ref()),
            yes_or_no(group.hook),
            yes_or_no(group.hardware_is_identity),
            hours(group.approval_timeout_h).unwrap_or_default(),
            format!("{} h", profile.lifetime_h),
            hours(profile.max_lifetime_h).unwrap_or_default(),
            format!("{} d", group.recovery_window_d),
            format!("{} d", group.storage_time_d),
            yes_or_no(profile.server_auth),
            profile.dns_suffix.clone().unwrap_or_default(),
            word(&profile.csr_extras),
            word(&policy.key_rotation),
            word(&policy.on_hardware_change),
            word(&group.on_clone),
            word(&group.signing.method),
            group.created_at.to_string(),
            group.group_id.to_string(),
        ]
    }
}

fn proofs(rules: &ZeroTouch) -> String {
    match &rules.accept[..] {
        [] => "none".to_owned(),
        proofs => proofs.iter().map(word).collect::<Vec<_>>().join(","),
    }
}

/// As `--allocate` and `--allocate-default` take it.
fn allocation(allocation: Option<&Allocation>) -> String {
    match allocation {
        None | Some(Allocation::None) => "none".to_owned(),
        Some(Allocation::Label { key, default: None }) => format!("label:{key}"),
        Some(Allocation::Label {
            key,
            default: Some(group),
        }) => format!("label:{key}, else {group}"),
        Some(Allocation::Hash { groups }) => format!("hash:{}", groups.join(",")),
        Some(Allocation::LeastFilled { groups }) => format!("least-filled:{}", groups.join(",")),
        Some(Allocation::Weighted { groups }) => {
            let share = groups
                .iter()
                .map(|one| format!("{}={}", one.group, one.weight));
            format!("weighted:{}", share.collect::<Vec<_>>().join(","))
        }
    }
}
