//! The nouns of provisioning and what can happen to them.
//!
//! Nothing here does I/O, waits, or knows a wire format. A transition consumes
//! the old state and returns the new one with its [`Event`], or says why not.

mod api_token;
mod application;
mod approval;
mod ca;
mod certificate;
mod clock;
mod configuration;
mod credential;
mod device;
mod event;
mod group;
mod hardware;
mod hex;
mod id;
mod name;
mod order;
mod practice;
mod proof;
mod receipt;
mod report;
mod rng;
mod role;
mod secret;
mod signing;
mod tenant;
mod timestamp;
mod token;
mod tombstone;

pub use api_token::ApiTokenRecord;
pub use application::Application;
pub use approval::ApprovalCode;
pub use ca::{CaKey, CaKind, CaRecord, CaRequestRecord, CaStanding, RootRecord};
pub use certificate::{CertificateRecord, InvalidSerial, RevocationReason, Serial, Standing};
pub use clock::{Clock, SystemClock};
pub use configuration::{
    ConfigurationEntry, ConfigurationNumbers, ConfigurationStatement, ConfigurationTarget,
};
pub use credential::{Credential, Issued, Renewal, RenewalRequest};
pub use device::{
    Device, Farewell, InvalidTransition, Labels, NewDevice, State, StateKind, Transition,
};
pub use event::{Actor, Event, Subject};
pub use group::{CertificateProfile, CsrExtras, EnrollmentPolicy, Group, InvalidProfile, OnClone};
pub use hardware::{HardwareIdentity, HardwareKind, NotAnIdentity};
pub use hex::lower_hex;
pub use id::{
    ApiTokenId, CaId, DeviceId, EventId, GroupId, InvalidId, RequestId, SecretId, TenantId,
};
pub use name::{InvalidName, Name};
pub use order::{CommandRecord, Outcome};
pub use practice::{KeyRotation, OnHardwareChange, Practice};
pub use proof::renewal_message;
pub use receipt::ReceiptRecord;
pub use report::{ConfigurationRefusal, ConfigurationReport, DeviceReport};
pub use rng::{Rng, SystemRng};
pub use role::{Operator, Role, UnknownRole};
pub use secret::{SecretBounds, SecretRecord, SecretRefusal};
pub use signing::{Signing, SigningKeyRecord, SigningMethod, SigningPurpose};
pub use tenant::{Tenant, TenantState};
pub use timestamp::Timestamp;
pub use token::{ApiToken, DeviceToken, Digest, MalformedToken, ProvisioningSecret, ShortId};
pub use tombstone::{Tombstone, TombstoneOf};
