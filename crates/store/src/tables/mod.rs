//! The queries, one file per noun.

mod api_tokens;
mod applications;
mod ca_requests;
mod ca_rollover;
mod cas;
mod certificates;
mod commands;
mod configuration;
mod credentials;
mod device_reports;
mod device_token;
mod devices;
mod devices_bulk;
mod events;
mod groups;
mod issued;
mod receipts;
mod revocation;
mod rollover;
mod roots;
mod secrets;
mod settings;
mod signing_keys;
mod tenants;
mod text;
mod tombstones;

pub use certificates::CertificateFilter;
pub use devices::DeviceFilter;
pub use events::EventFilter;
pub use revocation::{IssuedStanding, StandingChange};
pub use rollover::{Readiness, Unready};
