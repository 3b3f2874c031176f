//! The orders that a device was given.

use enlist_core::{CommandRecord, Operator, Role};

use crate::{DevicePath, Error, Listed, Ops, scope};

impl Ops {
    /// Orders to a device with numbers above `after`, the first one first.
    ///
    /// # Errors
    /// When the device is not there.
    pub async fn orders(
        &self,
        who: &Operator,
        path: DevicePath,
        after: u64,
        limit: usize,
    ) -> Result<Listed<CommandRecord, u64>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("orders", move |tx| {
                let (tenant, _, device) = scope::device(tx, &who, Role::Viewer, &path)?;
                let items = tx.commands_page(tenant.id, device.id, after, limit)?;
                let next = items
                    .last()
                    .filter(|_| items.len() >= limit)
                    .map(|one| one.number);
                Ok(Listed { items, next })
            })
            .await
    }
}
