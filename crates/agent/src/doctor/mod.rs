//! Looks at everything that keeps a device from working, and says what to do about it.
//!
//! Nothing is made or changed by looking, and no secret is shown. One check a file; each takes the
//! [`Patient`] and returns a [`Finding`].

mod attestation;
mod certificate;
mod clock;
mod configuration;
mod contact;
mod disk;
mod enrollment;
mod finding;
mod hooks;
mod key_store;
mod network;
mod patient;
mod permissions;
mod server;
mod settings;
mod trust;

use std::path::Path;

pub use finding::{Finding, Verdict};
use patient::Patient;

use crate::config::Configuration;

/// A check that takes a configuration that reads.
type Check = fn(&Patient) -> Finding;

/// The checks, in the order in which they are best read: what others rest on comes first.
const CHECKS: [(&str, Check); 14] = [
    ("permissions", permissions::check),
    ("disk", disk::check),
    ("clock", clock::check),
    ("network", network::check),
    ("trust", trust::check),
    ("server", server::check),
    ("key_store", key_store::check),
    ("attestation", attestation::check),
    ("certificate", certificate::check),
    ("enrollment", enrollment::check),
    ("settings", settings::check),
    ("hooks", hooks::check),
    ("export", hooks::check_export),
    ("contact", contact::check),
];

/// Examines the device that goes by the configuration file at `config`. Each finding is handed over as
/// soon as it is there.
pub fn examine(config: &Path, mut tell: impl FnMut(Finding)) {
    let loaded = Configuration::load(config);
    tell(configuration::check(config, loaded.as_ref()).named("configuration"));
    match loaded {
        Ok(configuration) => {
            let patient = Patient::new(configuration);
            for (name, check) in CHECKS {
                tell(check(&patient).named(name));
            }
        }
        Err(_) => {
            for (name, _) in CHECKS {
                tell(Finding::skipped("there is no configuration to go by").named(name));
            }
        }
    }
}
