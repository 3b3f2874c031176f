use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Envelope, SecretText, Time};

/// Gives the device a new token. Body of `POST /v1/device/token`, over its certificate.
///
/// The device makes the token and keeps it durably before it asks: asking again with the same one changes
/// nothing. The token before it stays good until the device has said that it holds the new one, by
/// acknowledging the command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenRequest {
    /// The new token, `edt_…`.
    pub device_token: SecretText,
}

/// Says that the device is about to be wiped. Body of `POST /v1/device/decommission`, over its certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Farewell {
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Hands in the receipt of a wipe. Body of `POST /v1/device/receipt`; the receipt proves itself, so
/// nothing else is presented.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptRequest {
    /// The receipt.
    pub receipt: Envelope,
}

/// The receipt is on record. Reply to `POST /v1/device/receipt`, also to one that was handed in before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptReply {
    /// The device.
    pub device_id: Uuid,
    /// When it was first put on record.
    pub received_at: Time,
}

/// Whether there is something for the device to poll for. Reply to `GET /v1/device/wait`, which is
/// answered when there is, or when its time is up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaitReply {
    /// Whether there is.
    pub poll: bool,
}

/// How long to wait. Query of `GET /v1/device/wait`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct WaitQuery {
    /// Seconds to wait at most: 1 to 300, 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// The server's time. Reply to `GET /v1/time`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerTime {
    /// The time.
    pub time: Time,
}
