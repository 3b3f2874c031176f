use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Event, SecretText, Time};

/// Asks for a webhook. Body of `POST /v1/tenants/{tenant}/webhooks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewWebhook {
    /// What it is to be called.
    pub name: String,
    /// Who is told: `https://host[:port][/path][?query]`.
    pub url: String,
    /// The CAs that the receiver's certificate is believed by, PEM; absent means those of the server's
    /// system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The one group whose events it is told; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The kinds of events that it is told; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
}

/// A webhook, and how its telling goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// Its id.
    pub webhook_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Who is told.
    pub url: String,
    /// Whether the receiver is believed by CAs of the webhook's own.
    pub own_ca: bool,
    /// Whether it is told of one group alone.
    pub one_group: bool,
    /// That group, while it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The kinds of events that it is told; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// The place in the tenant's chain of events up to which it was told, but for what waits.
    pub told: u64,
    /// Events that it was not told yet.
    pub behind: u64,
    /// Those of them that were put off.
    pub waiting: u64,
    /// Events that were given up.
    pub dead_letters: u64,
    /// Since when nothing could be told; absent while all goes well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Time>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Time,
}

/// A webhook with its signing secret, which is in this reply and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookSecret {
    /// The webhook.
    pub webhook: Webhook,
    /// `whsec_…`, with which requests to it are signed; shown this once.
    pub secret: SecretText,
}

/// How a test of a webhook went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookTested {
    /// Whether the receiver has taken it.
    pub told: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An event that a webhook could not be told within a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadLetter {
    /// The event's place in the tenant's chain.
    pub seq: u64,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// To which device, as it was called then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// That device's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when.
    pub since: Time,
    /// Why it was not taken the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_at: Option<Time>,
}

/// Which dead letters to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DeadLettersQuery {
    /// Only those after this place: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The most to return: 1 to 1000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Asks that dead letters be tried again: the one at `seq`, or all where that is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetryDeadLetters {
    /// The one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// How many dead letters are tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadLettersRetried {
    /// So many.
    pub retried: u64,
}

/// What receivers are sent: the body of each request to a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookMessage<T> {
    /// The kind of event, or `ping`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub timestamp: Time,
    /// The event itself.
    pub data: T,
}

/// An event as receivers are sent it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// Its place in the tenant's chain of events.
    pub seq: u64,
    /// The event, as the API shows it.
    #[serde(flatten)]
    pub event: Event,
}

/// What a test says in place of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookPing {
    /// The tenant.
    pub tenant: String,
    /// The webhook.
    pub webhook: String,
}
