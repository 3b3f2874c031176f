//! The queries, one file per noun.

mod api_tokens;
mod applications;
mod cas;
mod certificates;
mod commands;
mod configuration;
mod credentials;
mod device_reports;
mod devices;
mod devices_bulk;
mod events;
mod groups;
mod receipts;
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
pub use rollover::{Readiness, Unready};
