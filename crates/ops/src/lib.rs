//! The verbs: enroll, renew, suspend, decommission, import, access.
//!
//! An operation is a paragraph: load, decide, record. Doors (REST, EST, console, jobs) translate
//! and call; nobody above knows the store. What is answered was recorded before, and what is
//! recorded was decided in the transaction that records it.

mod access;
mod approve;
mod authorities;
mod bulk;
mod decommission;
mod delete;
mod deprovision;
mod device_self;
mod devices;
mod enroll;
mod error;
mod groups;
mod guard;
mod housekeeping;
mod issue;
mod list;
mod nonce;
mod open;
mod pre_enroll;
mod reenroll;
mod refusals;
mod renew;
mod scope;
mod secrets;
mod server_certificate;
mod setup;
mod standing;
mod suspend;
mod tenants;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;

use enlist_core::{Clock, Rng, Timestamp};
use enlist_store::Store;

use authorities::Authorities;
use enroll::KnownGrounds;
use guard::Guard;
use nonce::Nonces;
use refusals::Refusals;

pub use bulk::{BulkOutcome, BulkRow};
pub use device_self::DeviceSelf;
pub use devices::{AddDevice, DeviceView};
pub use enlist_store::{Location, Stats as StoreStats};
pub use enroll::{Enrollment, EnrollmentOutcome};
pub use error::{Error, What};
pub use groups::{AddGroup, GroupAdded};
pub use issue::Enrolled;
pub use list::{CertificateFilter, CertificateView, DeviceFilter, EventFilter, Listed, Slot};
pub use nonce::Nonce;
pub use open::{Config, OpenError, WrappingKeySource, open};
pub use pre_enroll::PreEnrolled;
pub use renew::{Evidence, RenewalAsked, TokenEvidence};
pub use scope::{DevicePath, GroupPath};
pub use secrets::{AddSecret, SecretAdded, SecretView};
pub use server_certificate::{ServerCertificate, ServerName};
pub use setup::FirstStart;
pub use tenants::TenantAuthority;
pub use tokens::{AddToken, TokenAdded};

/// All that the server can do. Cheap to clone; every clone is the same server.
#[derive(Clone)]
pub struct Ops {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    authorities: Authorities,
    nonces: Nonces,
    guard: Guard,
    refusals: Refusals,
    known_grounds: KnownGrounds,
}

impl Ops {
    /// The time, as this server sees it.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Where this server's time comes from.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock.clone()
    }

    /// How the store has been doing since the start.
    pub fn store_stats(&self) -> StoreStats {
        self.inner.store.stats()
    }
}

/// Where a request came from, for slowing down those who guess.
pub type Source = IpAddr;
