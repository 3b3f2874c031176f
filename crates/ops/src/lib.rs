//! The verbs: enroll, renew, suspend, decommission, import, access.
//!
//! An operation is a paragraph: load, decide, record. Doors (REST, EST, console, jobs) translate
//! and call; nobody above knows the store. What is answered was recorded before, and what is
//! recorded was decided in the transaction that records it.

mod access;
mod approve;
mod audit;
mod authorities;
mod bulk;
mod buried;
mod ca_keys;
mod cas;
mod census;
mod clock_check;
mod configuration;
mod decommission;
mod delete;
mod deprovision;
mod device_in_full;
mod device_self;
mod device_token;
mod devices;
mod doorbell;
mod enroll;
mod error;
mod farewell;
mod first_files;
mod groups;
mod guard;
mod hooks;
mod housekeeping;
mod issue;
mod list;
mod manifests;
mod manufacturers;
mod nonce;
mod open;
mod order;
mod outbound;
mod poll;
mod pre_enroll;
mod presented;
mod reason;
mod receipt;
mod reenroll;
mod reenrollment;
mod refusals;
mod renew;
mod restore;
mod revocation;
mod roots;
mod scope;
mod secrets;
mod server_certificate;
mod setup;
mod signing;
mod standing;
mod suspend;
mod tenant_chain;
mod tenants;
mod tokens;
mod wait;
mod webhooks;
mod zero_touch;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use enlist_core::{Clock, Rng, Timestamp};
use enlist_store::Store;

use audit::Audit;
use authorities::Authorities;
use doorbell::Doorbell;
use enroll::KnownGrounds;
use guard::Guard;
use nonce::Nonces;
use refusals::Refusals;
use revocation::Revocation;
use signing::SigningKeys;
use tenant_chain::TenantChains;
use webhooks::Teller;
use zero_touch::ReadManufacturers;

pub use approve::Spoken;
pub use audit::{AuditKey, EventExport};
pub use bulk::{BulkOutcome, BulkRow};
pub use cas::{
    CaAdded, CaKeyPlace, CaRequestView, CaToSign, CaView, RetireCa, TenantAuthority,
    sign_issuing_ca,
};
pub use census::{CaEnd, Census, ENDS, TenantCensus};
pub use clock_check::ClockOff;
pub use configuration::{
    Applied, ApplyConfiguration, ApplySchema, ConfigurationChange, ConfigurationError,
    ConfigurationOf, ConfigurationOffer, ConfigurationPath, ConfigurationView,
    DesiredConfiguration, SchemaView, Stating, Unfit,
};
pub use device_in_full::DeviceInFull;
pub use device_self::DeviceSelf;
pub use devices::{AddDevice, Applicant, DeviceView};
pub use enlist_attest::tpm::{TpmEndorsement, TpmEvidence};
pub use enlist_store::{
    BackupDescription, Copied, CopyError, CopyProgress, CopyStep, Hears, TableSum, backup, migrate,
    verify_backup,
};
pub use enlist_store::{
    DatabaseNotes, JobStats, Location, SecretsWorn, Stats as StoreStats, database_notes,
};
pub use enroll::{Enrollment, EnrollmentOutcome, KeyGenerated, NoLanding};
pub use error::{Error, What};
pub use groups::{AddGroup, ChangeGroup, GroupAdded, GroupView, ZeroTouchChange};
pub use hooks::{AddHook, BadHookAnswer, HookAdded, HookAnswer, HookFailure, HookTested, HookView};
pub use issue::Enrolled;
pub use list::{
    CertificateFilter, CertificateView, DeviceFilter, EventFilter, EventView, Listed, Slot,
};
pub use manifests::ManifestView;
pub use manufacturers::{ManufacturerCa, ManufacturerView};
pub use nonce::Nonce;
pub use open::{Config, OpenError, WrappingKeySource, open};
pub use order::OrderRefusal;
pub use outbound::{Call, CallFor, Calling, Outbound, OutboundError, OutboundReply, Target};
pub use poll::{Acknowledged, Polled, Said};
pub use pre_enroll::PreEnrolled;
pub use reenrollment::Reenrollment;
pub use renew::{Evidence, RenewalAsked, TokenEvidence};
pub use restore::{Restore, restore};
pub use revocation::{CrlServed, OcspServed, StatusConfig};
pub use roots::{
    GroupReadiness, RetireRoot, Rollover, RootExported, RootOffered, RootView, UnreadyDevice,
    offline_message,
};
pub use scope::{DevicePath, GroupPath, Reach, admit};
pub use secrets::{AddSecret, SecretAdded, SecretView};
pub use server_certificate::{ServerCertificate, ServerName};
pub use setup::FirstStart;
pub use tokens::{AddToken, TokenAdded, TokenView};
pub use webhooks::{
    AddWebhook, DeadLetter, Render, RetryDeadLetters, ToTell, WebhookAdded, WebhookTested,
    WebhookView,
};
pub use zero_touch::{AskChallenge, Challenge, HardwareEvidence};

/// All that the server can do. Cheap to clone; every clone is the same server.
#[derive(Clone)]
pub struct Ops {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    outbound: Arc<dyn Outbound>,
    hook_gates: hooks::Gates,
    filled: enroll::Filled,
    teller: Teller,
    authorities: Authorities,
    nonces: Nonces,
    guard: Guard,
    challenge_guard: Guard,
    unproven_guard: Guard,
    refusals: Refusals,
    known_grounds: KnownGrounds,
    clock_off: clock_check::LastFound,
    signing_keys: SigningKeys,
    audit: Audit,
    counting: census::Counting,
    doorbell: Doorbell,
    tenant_chains: TenantChains,
    revocation: Revocation,
    manufacturers: ReadManufacturers,
    /// Where the trust anchors are written for people to find.
    root_file: Option<PathBuf>,
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
