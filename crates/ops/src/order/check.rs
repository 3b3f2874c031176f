//! Who has to sign an order, and whether they have.

use enlist_core::Group;
use enlist_pki::PublicKey;
use enlist_signed::{Command, Envelope, Order};

use super::{Ground, OrderRefusal, signs_itself};
use crate::{Error, signing};

/// Who has to sign an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// The server, with the tenant's command key.
    ServerAlone,
    /// The server, and the group's operators with a key that the server does not have.
    GroupToo,
}

impl Demand {
    pub(crate) fn of(group: &Group, order: Order) -> Self {
        if order.destroys() && signs_itself(group) {
            Self::GroupToo
        } else {
            Self::ServerAlone
        }
    }
}

/// Checks what the operators have completed: the server's own signature, a signature of the group's, and
/// that it is the order that is asked for.
pub(super) fn completed(
    envelope: &Envelope,
    ground: &Ground,
    order: Order,
    command_key: &PublicKey,
) -> Result<(), Error> {
    let command: Command = envelope
        .open([command_key])
        .map_err(OrderRefusal::NotSigned)?;
    let keys = signing::public_keys(&ground.group.signing)?;
    let _: Command = envelope.open(&keys).map_err(OrderRefusal::NotSigned)?;
    let is_asked_for = command.tenant == ground.tenant.name
        && command.device == ground.device.id
        && command.order == order;
    if !is_asked_for {
        return Err(Error::InvalidRequest(
            "envelope: it is another order, or for another device".to_owned(),
        ));
    }
    if command.number != ground.number {
        return Err(OrderRefusal::Overtaken.into());
    }
    Ok(())
}
