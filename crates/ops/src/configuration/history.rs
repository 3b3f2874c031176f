//! Who stated what, and when.

use enlist_config::Change;
use enlist_core::{ConfigurationEntry, Operator, Role};

use super::ConfigurationPath;
use super::ground::find;
use crate::{Error, Listed, Ops};

impl Ops {
    /// Statements, newest first, each with what it changed.
    ///
    /// # Errors
    /// When tenant, group or device are not there.
    pub async fn configuration_history(
        &self,
        who: &Operator,
        path: ConfigurationPath,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Listed<(ConfigurationEntry, Vec<Change>), u64>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("configuration_history", move |tx| {
                let (tenant, group, _, target) = find(tx, &who, &path, Role::Viewer)?;
                let page = tx.configuration_page(tenant.id, group.id, target, before, limit)?;
                let full = page.len() >= limit;
                let next = page.last().filter(|_| full).map(|one| one.version);
                let items = page
                    .into_iter()
                    .map(|entry| Ok((changes(&entry)?, entry)))
                    .map(|item| item.map(|(changes, entry)| (entry, changes)))
                    .collect::<Result<_, Error>>()?;
                Ok::<_, Error>(Listed { items, next })
            })
            .await
    }
}

fn changes(entry: &ConfigurationEntry) -> Result<Vec<Change>, Error> {
    serde_json::from_str(&entry.changes)
        .map_err(|_| Error::Inconsistent("the changes of a configuration do not read"))
}
