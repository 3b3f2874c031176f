//! Doors into `ops`: the management API, the device API, and the server's own chores.
//!
//! A handler translates and never decides: bytes to wire types to an operation, and its outcome
//! to a view. [`problem`] is the one file that knows HTTP status codes.

mod api;
mod app;
mod by_route;
mod chores;
mod config;
mod connection;
mod entry;
mod est;
mod identity;
mod metrics;
mod openapi;
mod outbound;
mod patient;
mod phase;
mod problem;
mod proxied;
mod ready;
mod server;
mod status;
mod traces;
mod unread;
mod view;

pub use api::routes;
pub use config::{
    ConfigError, Layer, LogFormat, Misread, ObserveSettings, Settings, StatusSettings,
};
pub use entry::{Entry, Route};
pub use identity::IdentityError;
pub use metrics::{MetricsDoor, Observe};
pub use openapi::document as openapi_document;
pub use outbound::outbound;
pub use server::{Listen, ServeError, Server};
pub use status::StatusDoor;
pub use traces::{Endpoint, InvalidEndpoint, TraceLayer, TraceSettings, Traces};
