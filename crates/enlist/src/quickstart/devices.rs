//! The group and its devices.

use enlist_wire::NewGroup;

use super::{PREFIX, Stage};
use crate::bulk::{self, Items, Source};

/// Makes the group, unless it is there. Only devices that were created before get into it.
pub fn make_group(stage: &Stage<'_>) -> anyhow::Result<()> {
    let mut group = NewGroup::named(stage.group.clone());
    group.secret = false;
    match stage
        .client
        .create_group(stage.settings.tenant.as_str(), &group)
    {
        Ok(_) => Ok(()),
        Err(error) if is_name_taken(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the devices that are not there yet.
pub async fn make(stage: &Stage<'_>, count: u32) -> anyhow::Result<()> {
    let call = bulk::Call {
        items: Items::Devices,
        path: format!("groups/{}/devices/bulk", stage.group),
        source: Source::range(count.into(), PREFIX.to_owned(), 1)?,
        names_file: None,
        format: None,
        verbose: false,
    };
    bulk::carry_out(stage.settings, call).await
}

fn is_name_taken(error: &enlist_wire::ClientError) -> bool {
    error
        .problem()
        .is_some_and(|problem| problem.slug() == "name-taken")
}
