//! Whether what is stated for single devices fits what is about to be stated for all.

use std::sync::Arc;

use enlist_core::{ConfigurationStatement, ConfigurationTarget, DeviceId, Name};

use super::aside::aside;
use super::error::told;
use super::ground::Ground;
use super::ruler::Ruler;
use super::{ConfigurationError, Fields, Unfit};
use crate::{Error, Ops};

/// Devices that are looked at with one job.
const PAGE: usize = 100;
/// The most that are named.
const MOST: usize = 5;

impl Ops {
    /// Refuses, naming the first, where the own values of devices do not fit under `ruler` over the
    /// group's values.
    pub(super) async fn refuse_misfits(
        &self,
        ground: &Ground,
        ruler: &Arc<Ruler>,
        group_values: &Fields,
    ) -> Result<(), Error> {
        let group_values = Arc::new(group_values.clone());
        let mut unfit = Vec::new();
        let mut after = None;
        while unfit.len() < MOST {
            let (page, last) = self.own_values(ground, ruler.schema_version, after).await?;
            let (ruler, group_values) = (ruler.clone(), group_values.clone());
            let room = MOST - unfit.len();
            // A page at a time, so that a caller who has gone ends it.
            let found = aside(move || first_misfits(&ruler, &group_values, &page, room));
            unfit.extend(found.await?);
            match last {
                None => break,
                last => after = last,
            }
        }
        if unfit.is_empty() {
            Ok(())
        } else {
            Err(ConfigurationError::Unfit(unfit).into())
        }
    }

    /// The own values of a page of devices, and where the next page starts.
    async fn own_values(
        &self,
        ground: &Ground,
        schema_version: u32,
        after: Option<DeviceId>,
    ) -> Result<(Vec<(Name, ConfigurationStatement)>, Option<DeviceId>), Error> {
        let (tenant, group) = (ground.tenant.id, ground.group.id);
        self.inner
            .store
            .read("own_values", move |tx| {
                let ids = tx.configured_devices(tenant, group, after, PAGE)?;
                let mut page = Vec::new();
                for id in &ids {
                    let target = ConfigurationTarget::Device(*id);
                    let stated = tx.configuration_up_to(tenant, group, target, schema_version)?;
                    let device = tx.device(tenant, *id)?;
                    page.extend(device.map(|device| device.name).zip(stated));
                }
                Ok::<_, Error>((page, ids.last().copied().filter(|_| ids.len() == PAGE)))
            })
            .await
    }
}

fn first_misfits(
    ruler: &Ruler,
    group_values: &Fields,
    page: &[(Name, ConfigurationStatement)],
    most: usize,
) -> Vec<Unfit> {
    let misfits = page.iter().filter_map(|(name, statement)| {
        let why = fits(ruler, group_values, statement).err()?;
        let whose = format!("device `{name}`");
        Some(Unfit { whose, why })
    });
    misfits.take(most).collect()
}

fn fits(
    ruler: &Ruler,
    group_values: &Fields,
    statement: &ConfigurationStatement,
) -> Result<(), String> {
    let values = ruler.values_of(statement).map_err(|why| why.to_string())?;
    ruler
        .check(&[group_values, &values])
        .map_err(|violations| told(&violations))
}
