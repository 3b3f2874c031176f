//! The nouns of provisioning and what can happen to them.
//!
//! Nothing here does I/O, waits, or knows a wire format. A transition consumes
//! the old state and returns the new one with its [`Event`], or says why not.

mod allocation;
mod api_token;
mod application;
mod approval;
mod ca;
mod certificate;
mod clock;
mod configuration;
mod credential;
mod device;
mod durations;
mod event;
mod event_kind;
mod explain;
mod group;
mod group_change;
mod hardware;
mod hex;
mod hook;
mod id;
mod manifest;
mod manufacturer;
mod name;
mod network;
mod order;
mod practice;
mod proof;
mod rate;
mod receipt;
mod report;
mod rng;
mod role;
mod seal;
mod secret;
mod signing;
mod tenant;
mod timestamp;
mod token;
mod tombstone;
mod webhook;
mod zero_touch;

pub use allocation::{Allocation, Arrival, InvalidAllocation, Share};
pub use api_token::ApiTokenRecord;
pub use application::Application;
pub use approval::ApprovalCode;
pub use ca::{CaKey, CaKind, CaRecord, CaRequestRecord, CaStanding, RootRecord};
pub use certificate::{CertificateRecord, InvalidSerial, RevocationReason, Serial, Standing};
pub use clock::{Clock, FAR_AHEAD, SystemClock};
pub use configuration::{
    ConfigurationEntry, ConfigurationNumbers, ConfigurationStatement, ConfigurationTarget,
};
pub use credential::{Credential, Issued, Renewal, RenewalRequest};
pub use device::{
    Device, Farewell, InvalidTransition, Labels, NewDevice, State, StateKind, Transition,
};
pub use durations::{Durations, DurationsCounted};
pub use event::{Actor, Event, Subject};
pub use event_kind::{EVENT_KINDS, is_event_kind};
pub use explain::explain;
pub use group::{CertificateProfile, CsrExtras, EnrollmentPolicy, Group, InvalidProfile, OnClone};
pub use group_change::GroupChange;
pub use hardware::{HardwareIdentity, HardwareKind, NotAnIdentity};
pub use hex::lower_hex;
pub use hook::{Hook, Landing};
pub use id::{
    ApiTokenId, CaId, DeviceId, EventId, GroupId, InvalidId, ManifestId, RequestId, SecretId,
    TenantId, WebhookId,
};
pub use manifest::{Manifest, ManifestEntry};
pub use manufacturer::ManufacturerRecord;
pub use name::{InvalidName, Name};
pub use network::{InvalidNetwork, Network};
pub use order::{CommandRecord, Outcome};
pub use practice::{KeyRotation, OnHardwareChange, Practice};
pub use proof::{renewal_message, tpm_certify_data};
pub use rate::{InvalidRate, Rate, micros};
pub use receipt::ReceiptRecord;
pub use report::{ConfigurationRefusal, ConfigurationReport, DeviceReport};
pub use rng::{Rng, SystemRng};
pub use role::{Operator, Role, UnknownRole};
pub use seal::{EventRecord, Seal};
pub use secret::{SecretBounds, SecretRecord, SecretRefusal};
pub use signing::{Signing, SigningKeyRecord, SigningMethod, SigningPurpose};
pub use tenant::{Tenant, TenantState};
pub use timestamp::Timestamp;
pub use token::{ApiToken, DeviceToken, Digest, MalformedToken, ProvisioningSecret, ShortId};
pub use tombstone::{Tombstone, TombstoneOf};
pub use webhook::{Pace, PutOff, Webhook};
pub use zero_touch::{AttestationKind, UnknownAttestation, WithoutProof, ZeroTouch};
