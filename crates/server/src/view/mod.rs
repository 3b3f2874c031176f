//! From core's types to the wire's, and back.

mod ca;
mod certificate;
mod configuration;
mod device;
mod enrolled;
mod event;
mod group;
mod hardware;
mod order;
mod policy;
mod report;
mod root;
mod secret;
mod tenant;
mod token;

pub(crate) use ca::{ca, ca_added, ca_request};
pub(crate) use certificate::certificate;
pub(crate) use configuration::{
    applied, configuration, configuration_entry, configuration_numbers, configuration_offer,
    desired_configuration, schema,
};
pub(crate) use device::{device, device_in_full, device_self, state_asked};
pub(crate) use enrolled::{enrolled, quadruple};
pub(crate) use event::event;
pub(crate) use group::{group, group_created, rules};
pub(crate) use hardware::hardware_claimed;
pub(crate) use order::{envelope_asked, order, order_asked, receipt, receipt_taken};
pub(crate) use policy::signing;
pub(crate) use report::{polled, said};
pub(crate) use root::{rollover, root};
pub(crate) use secret::{add_secret, secret, secret_created};
pub(crate) use tenant::tenant;
pub(crate) use token::{role, role_asked, token, token_created};

use enlist_core::Timestamp;
use enlist_wire::{Time, Uuid};

fn time(at: Timestamp) -> Time {
    Time::from_millis(at.as_millis())
}

fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}
