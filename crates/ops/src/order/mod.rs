//! Orders to devices: signed, numbered, carried out once, acknowledged.

mod check;
mod error;
mod list;

use enlist_core::{
    Actor, CommandRecord, Device, Event, Group, Operator, Outcome, Role, SigningMethod,
    SigningPurpose, StateKind, Tenant, Timestamp,
};
use enlist_signed::{Command, Envelope, Order};
use enlist_store::Tx;

use crate::{DevicePath, Error, Ops, scope};
pub(crate) use check::Demand;
pub use error::OrderRefusal;

/// How often a lost race for a number is run again before the caller is asked to.
const ATTEMPTS: usize = 4;
/// Orders that may be open for one device.
const MOST_OPEN: usize = 64;
/// How many orders a device may have taken that are not on record.
const FAR_AHEAD: u64 = 1_000_000;

/// Where an order is to go.
pub(crate) struct Ground {
    pub(crate) tenant: Tenant,
    pub(crate) group: Group,
    pub(crate) device: Device,
    /// The number that comes next.
    pub(crate) number: u64,
}

impl Ops {
    /// Gives a device an order. Where the device was not handed the same order yet, that one stands.
    ///
    /// `completed` is for orders that destroy, in a group whose operators sign by themselves: what
    /// [`Ops::draft_order`] gave, with their signature added.
    ///
    /// # Errors
    /// When the device is not there, or in no state to be ordered about, or a signature is missing or
    /// not wanted.
    pub async fn order(
        &self,
        who: &Operator,
        path: DevicePath,
        order: Order,
        completed: Option<Envelope>,
    ) -> Result<CommandRecord, Error> {
        if order == Order::Wipe {
            return Err(Error::InvalidRequest(
                "a wipe is ordered by decommissioning the device".to_owned(),
            ));
        }
        for _ in 0..ATTEMPTS {
            let (ground, standing) = self.order_look(who, &path, order).await?;
            if let Some(standing) = standing {
                return Ok(standing);
            }
            let envelope = self
                .signed_order(&ground, order, completed.as_ref())
                .await?;
            let (who, path, now) = (who.clone(), path.clone(), self.now());
            let number = ground.number;
            let given = self
                .inner
                .store
                .write("order", move |tx| {
                    let (_, _, device) = scope::device(tx, &who, Role::Operator, &path)?;
                    orderable(&device)?;
                    let by = Actor::Operator(who.token);
                    record(tx, &device, number, order, &envelope, by, now)
                })
                .await?;
            match given {
                Some(given) => {
                    self.inner.doorbell.ring(given.device);
                    return Ok(given);
                }
                // Somebody else's order has taken the number that was signed over.
                None if completed.is_some() => return Err(OrderRefusal::Overtaken.into()),
                None => {}
            }
        }
        Err(Error::Busy { retry_after_s: 1 })
    }

    /// An order that destroys, signed by the server alone, for an operator to add the group's own
    /// signature. It is given to nobody yet; that it was signed is on record.
    ///
    /// # Errors
    /// When the device is not there, or the group has no key of its own.
    pub async fn draft_order(
        &self,
        who: &Operator,
        path: DevicePath,
        order: Order,
    ) -> Result<Envelope, Error> {
        let ground = self.order_ground(who, &path).await?;
        if order == Order::Wipe {
            ground
                .device
                .clone()
                .decommission(Actor::Server, self.now())?;
        } else {
            orderable(&ground.device)?;
        }
        if Demand::of(&ground.group, order) == Demand::ServerAlone {
            return Err(Error::InvalidRequest(
                "the server signs this order by itself: there is nothing to add to it".to_owned(),
            ));
        }
        let envelope = self.sign_order(&ground, order).await?;
        let (by, now) = (Actor::Operator(who.token), self.now());
        let event = Event::new("order-drafted", ground.device.subject(), by, now)
            .with("order", order.as_str())
            .with("number", ground.number);
        self.inner
            .store
            .write("draft_order", move |tx| {
                tx.append(&event)?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(envelope)
    }

    /// The ground for an order, and the same order where the device was not handed it yet.
    async fn order_look(
        &self,
        who: &Operator,
        path: &DevicePath,
        order: Order,
    ) -> Result<(Ground, Option<CommandRecord>), Error> {
        let (who, path) = (who.clone(), path.clone());
        self.inner
            .store
            .read("order_look", move |tx| {
                let ground = ground(tx, &who, &path)?;
                orderable(&ground.device)?;
                let (tenant, device) = (ground.tenant.id, ground.device.id);
                let open = tx.open_commands(tenant, device, 0, MOST_OPEN)?;
                let same = open
                    .iter()
                    .find(|one| one.fetched_at.is_none() && one.order == order.as_str());
                if same.is_none() && open.len() >= MOST_OPEN {
                    return Err(OrderRefusal::TooMany {
                        name: ground.device.name,
                    }
                    .into());
                }
                let known = tx.device_report(tenant, device)?;
                let changed = known.is_some_and(|report| report.changed_hardware.is_some());
                if order == Order::AcceptHardware && !changed {
                    return Err(OrderRefusal::HardwareNotChanged {
                        name: ground.device.name,
                    }
                    .into());
                }
                Ok((ground, same.cloned()))
            })
            .await
    }

    /// The ground for an order, whatever the device's state.
    pub(crate) async fn order_ground(
        &self,
        who: &Operator,
        path: &DevicePath,
    ) -> Result<Ground, Error> {
        let (who, path) = (who.clone(), path.clone());
        self.inner
            .store
            .read("order_ground", move |tx| ground(tx, &who, &path))
            .await
    }

    /// The order as it goes to the device: signed here, or as the operators have completed it.
    pub(crate) async fn signed_order(
        &self,
        ground: &Ground,
        order: Order,
        completed: Option<&Envelope>,
    ) -> Result<Envelope, Error> {
        match (Demand::of(&ground.group, order), completed) {
            (Demand::ServerAlone, None) => self.sign_order(ground, order).await,
            (Demand::ServerAlone, Some(_)) => Err(Error::InvalidRequest(
                "envelope: the server signs this order by itself; leave it out".to_owned(),
            )),
            (Demand::GroupToo, None) => Err(OrderRefusal::SignatureNeeded {
                group: ground.group.name.clone(),
            }
            .into()),
            (Demand::GroupToo, Some(envelope)) => {
                let key = self
                    .signing_key(ground.tenant.id, SigningPurpose::Command)
                    .await?;
                check::completed(envelope, ground, order, key.signer.public_key())?;
                Ok(envelope.clone())
            }
        }
    }

    async fn sign_order(&self, ground: &Ground, order: Order) -> Result<Envelope, Error> {
        let key = self
            .signing_key(ground.tenant.id, SigningPurpose::Command)
            .await?;
        let command = Command {
            tenant: ground.tenant.name.clone(),
            device: ground.device.id,
            number: ground.number,
            order,
            at: self.now(),
        };
        Envelope::seal(&command, &*key.signer).map_err(Error::signing)
    }
}

fn ground(tx: &mut Tx<'_>, who: &Operator, path: &DevicePath) -> Result<Ground, Error> {
    let (tenant, group, device) = scope::device(tx, who, Role::Operator, path)?;
    let number = next_number(tx, &device)?;
    Ok(Ground {
        tenant,
        group,
        device,
        number,
    })
}

/// The number after the last one: of those on record, or of those that the device says it has taken, which are
/// more where the record was put back to an earlier time. More than that is not believed.
fn next_number(tx: &mut Tx<'_>, device: &Device) -> Result<u64, Error> {
    let last = tx.last_command(device.tenant, device.id)?;
    let said = tx.device_report(device.tenant, device.id)?;
    let said = said.map_or(0, |said| said.last_command);
    let believed = Some(said).filter(|said| *said <= last + FAR_AHEAD);
    Ok(believed.unwrap_or(0).max(last) + 1)
}

/// Whether a device takes orders: one that is suspended finds them when it is back.
fn orderable(device: &Device) -> Result<(), Error> {
    match device.state().kind() {
        StateKind::Active | StateKind::Suspended => Ok(()),
        state => Err(Error::DeviceNotActive(state)),
    }
}

/// Puts an order on record. `None` where its number is taken.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    device: &Device,
    number: u64,
    order: Order,
    envelope: &Envelope,
    by: Actor,
    now: Timestamp,
) -> Result<Option<CommandRecord>, Error> {
    let command = CommandRecord {
        tenant: device.tenant,
        device: device.id,
        number,
        order: order.as_str().to_owned(),
        envelope: envelope.to_json(),
        by: by.clone(),
        given_at: now,
        fetched_at: None,
        outcome: None,
    };
    if !tx.insert_command(&command)? {
        return Ok(None);
    }
    let event = Event::new("order-given", device.subject(), by, now)
        .with("order", order.as_str())
        .with("number", number);
    tx.append(&event)?;
    Ok(Some(command))
}

/// Closes the orders to a device that will not come to be: of an earlier life, none must reach a later
/// one.
pub(crate) fn close_all(
    tx: &mut Tx<'_>,
    device: &Device,
    why: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let outcome = Outcome {
        at: now,
        done: false,
        detail: Some(why.to_owned()),
    };
    tx.close_commands(device.tenant, device.id, &outcome)?;
    Ok(())
}

/// Whether the operators of `group` sign by themselves.
fn signs_itself(group: &Group) -> bool {
    group.signing.method != SigningMethod::Remote
}
