//! Many devices at once.

use enlist_core::{Actor, DeviceId, Event, Group, Name, NewDevice, Operator, Role};
use enlist_store::Tx;

use crate::{AddDevice, Error, GroupPath, Ops, devices, scope};

/// What became of one device of a bulk creation.
#[derive(Debug)]
pub struct BulkRow {
    /// Its name.
    pub name: Name,
    /// What became of it.
    pub outcome: BulkOutcome,
}

/// What became of one device of a bulk creation.
#[derive(Debug)]
pub enum BulkOutcome {
    /// It is new.
    Created(DeviceId),
    /// It was there already.
    Existing,
    /// It was refused.
    Refused(Error),
}

/// So many rows that wait are as large as a plain job.
const A_PLAIN_JOB: usize = 16;

impl Ops {
    /// Whether `who` may create devices in a group: asked once, before a long list is taken.
    ///
    /// # Errors
    /// When it may not, or there is no such group.
    pub async fn may_add_devices(&self, who: &Operator, path: GroupPath) -> Result<(), Error> {
        let who = who.clone();
        self.inner
            .store
            .read("may_add_devices", move |tx| {
                scope::group(tx, &who, Role::Factory, &path).map(|_| ())
            })
            .await
    }

    /// Creates a chunk of devices in one step: a row for each, in the order given, and one event
    /// for all. Names that are there already are left as they are.
    ///
    /// # Errors
    /// When the group is not there, or the store fails; then none was created.
    pub async fn add_devices(
        &self,
        who: &Operator,
        path: GroupPath,
        add: Vec<AddDevice>,
    ) -> Result<Vec<BulkRow>, Error> {
        let (who, now) = (who.clone(), self.now());
        let mut ids: Vec<_> = add
            .iter()
            .map(|_| DeviceId::new(&*self.inner.clock, &*self.inner.rng))
            .collect();
        // Lists go by id: those of one chunk in the order in which they were asked for.
        ids.sort_unstable();
        self.inner
            .store
            .write_weighing("add_devices", add.len() / A_PLAIN_JOB, move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Factory, &path)?;
                let refusals = refusals(tx, &group, &add)?;
                let new: Vec<_> = add
                    .iter()
                    .zip(&ids)
                    .zip(&refusals)
                    .filter(|(_, refused)| refused.is_none())
                    .map(|((add, id), _)| NewDevice {
                        id: *id,
                        tenant: tenant.id,
                        group: group.id,
                        name: add.name.clone(),
                        labels: add.labels.clone(),
                        hardware: add.hardware.clone(),
                        attested: None,
                        at: now,
                    })
                    .collect();
                let inserted = tx.insert_devices(tenant.id, group.id, &new)?;
                let created = inserted.iter().filter(|new| **new).count();
                if created > 0 {
                    let by = Actor::Operator(who.token);
                    let event = Event::new("devices-created", group.subject(), by, now)
                        .with("count", created)
                        .with("first", &new[0].name)
                        .with("last", &new[new.len() - 1].name);
                    tx.append(&event)?;
                }
                let mut outcomes = inserted.iter().zip(&new).map(|(inserted, new)| {
                    if *inserted {
                        BulkOutcome::Created(new.id)
                    } else {
                        BulkOutcome::Existing
                    }
                });
                Ok(add
                    .iter()
                    .zip(refusals)
                    .filter_map(|(add, refused)| {
                        let outcome = match refused {
                            Some(refused) => Some(BulkOutcome::Refused(refused)),
                            None => outcomes.next(),
                        };
                        outcome.map(|outcome| BulkRow {
                            name: add.name.clone(),
                            outcome,
                        })
                    })
                    .collect())
            })
            .await
    }
}

/// Which of the devices can't be created, and why.
fn refusals(
    tx: &mut Tx<'_>,
    group: &Group,
    add: &[AddDevice],
) -> Result<Vec<Option<Error>>, Error> {
    // Most tenants have none: one question for the whole chunk, and one a name only then.
    let any_buried = tx.has_tombstones(group.tenant)?;
    add.iter()
        .map(|add| {
            if let Err(refused) = devices::check_labels(&add.labels) {
                return Ok(Some(refused));
            }
            if !any_buried {
                return Ok(None);
            }
            match devices::refuse_tombstoned(tx, group, &add.name) {
                Ok(()) => Ok(None),
                Err(refused @ Error::Tombstoned { .. }) => Ok(Some(refused)),
                Err(failed) => Err(failed),
            }
        })
        .collect()
}
