//! The queries, one file per noun.

mod api_tokens;
mod applications;
mod cas;
mod certificates;
mod credentials;
mod devices;
mod devices_bulk;
mod events;
mod groups;
mod secrets;
mod settings;
mod tenants;
mod text;
mod tombstones;

pub use certificates::CertificateFilter;
pub use devices::DeviceFilter;
pub use events::EventFilter;
