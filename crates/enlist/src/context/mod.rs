//! Which server a command talks to, whom it believes, and as whom it asks.

mod connect;
mod file;
mod settings;

pub use connect::{api_token, device_client, management_client, tls_config};
pub use file::{Context, Contexts};
pub use settings::{Settings, anchors, server_url, token};
