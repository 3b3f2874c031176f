use serde::{Deserialize, Serialize};

use crate::{Envelope, Time};

/// What a device is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Order {
    /// Renew the certificate now, onto a new key whatever the policy says.
    RotateKey,
    /// Renew the certificate now, as the policy says.
    Renew,
    /// Take a new device token.
    RotateToken,
    /// Go back to the defaults of the configuration schema.
    ResetConfiguration,
    /// Take the hardware that the device finds itself on for its own.
    AcceptHardware,
    /// Erase everything and hand in the receipt. It is given by decommissioning the device.
    Wipe,
    /// An order that a later version of the server knows.
    #[serde(other)]
    Unknown,
}

/// Orders a device to do something. Body of `POST …/devices/{device}/orders`, and of `…/orders/draft`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewOrder {
    /// What to do.
    pub order: Order,
    /// For an order that destroys, in a group whose operators sign by themselves: what `…/orders/draft`
    /// gave, with their signature added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
}

/// An order to a device, with what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceOrder {
    /// Its number among the orders to the device.
    pub number: u64,
    /// What the device is told to do.
    pub order: Order,
    /// Who gave it.
    pub by: String,
    /// When it was given.
    pub given_at: Time,
    /// When the device was first handed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Time>,
    /// When the server learnt what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// Whether it was carried out; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<bool>,
    /// Why not, or what is worth knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Which orders of a device to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct OrdersQuery {
    /// Only those after this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The most to return: 1 to 1000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
