//! From core's types to the wire's, and back.

mod allocation;
mod ca;
mod certificate;
mod configuration;
mod device;
mod enrolled;
mod event;
mod group;
mod hardware;
mod hook;
mod manifest;
mod manufacturer;
mod order;
mod policy;
mod report;
mod root;
mod secret;
mod tenant;
mod token;
mod webhook;
mod zero_touch;

pub(crate) use ca::{ca, ca_added, ca_request};
pub(crate) use certificate::certificate;
pub(crate) use configuration::{
    applied, configuration, configuration_entry, configuration_numbers, configuration_offer,
    desired_configuration, schema,
};
pub(crate) use device::{device, device_in_full, device_self, state_asked};
pub(crate) use enrolled::{enrolled, quadruple};
pub(crate) use event::event;
pub(crate) use group::{add_group, change_group, group, group_created};
pub(crate) use hardware::hardware_claimed;
pub(crate) use hook::{add_hook, hook, hook_secret, hook_tested};
pub(crate) use manifest::{manifest, manifest_entry};
pub(crate) use manufacturer::{manufacturer, manufacturer_in_full};
pub(crate) use order::{envelope_asked, order, order_asked, receipt, receipt_taken};
pub(crate) use policy::signing;
pub(crate) use report::{polled, said};
pub(crate) use root::{rollover, root};
pub(crate) use secret::{add_secret, secret, secret_created};
pub(crate) use tenant::tenant;
pub(crate) use token::{role, role_asked, token, token_created};
pub(crate) use webhook::{
    add_webhook, dead_letter, retry_asked, webhook, webhook_message, webhook_ping, webhook_secret,
    webhook_tested,
};

use enlist_core::Timestamp;
use enlist_wire::{Time, Uuid};

fn time(at: Timestamp) -> Time {
    Time::from_millis(at.as_millis())
}

fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}
