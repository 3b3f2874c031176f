//! Why an operation was refused, or failed.

use enlist_attest::{RenewalRefusal, SecretEvidenceRefusal};
use enlist_ca::IssueRefusal;
use enlist_core::{
    DeviceId, InvalidName, InvalidProfile, InvalidTransition, MalformedToken, Name, NotAnIdentity,
    Role, SecretRefusal, StateKind,
};
use enlist_pki::{CsrError, KeyError};
use enlist_store::StoreError;

use crate::OrderRefusal;

use crate::ConfigurationError;

/// Why an operation was refused, or failed. Every variant has a slug that never changes; the
/// server turns it into an RFC 9457 problem.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the message of each variant is its documentation"
)]
pub enum Error {
    // Access
    #[error(
        "no valid API token: send `Authorization: Bearer eat_…`, or log in again with `enlist login`"
    )]
    Unauthenticated,
    #[error("this API token may not do that: it takes the role {needed}")]
    Forbidden { needed: Role },
    #[error("this takes an API token of the whole installation, not of one tenant")]
    NotInstallationWide,

    // Looking up and naming
    #[error("there is no {what} `{name}`")]
    NotFound { what: What, name: String },
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    #[error("there is a {what} `{name}` already")]
    NameTaken { what: What, name: Name },
    #[error("the group `{name}` still has devices: delete them first")]
    GroupNotEmpty { name: Name },
    #[error(transparent)]
    InvalidProfile(#[from] InvalidProfile),
    #[error("{0}")]
    InvalidRequest(String),
    #[error("the tenant `{name}` has no issuing CA yet")]
    AwaitingCa { name: Name },

    // Roots
    #[error(
        "the root's key is kept offline, and it has to vouch for the next root: bring it back with its key"
    )]
    RootOffline,
    #[error(
        "there is a next root already: `enlist get rollover` says how far it is, `enlist retire root` ends it"
    )]
    RolloverUnderWay,
    #[error("there is no next root: `enlist add root` makes one, which devices have to take first")]
    NoNextRoot,
    #[error(
        "{ready} of {seen} devices that were seen lately hold the next root, and {threshold} % of them have to: `enlist get rollover --all-tenants --missing` says which do not; they would be lost until they are given a new configuration file, which --force accepts"
    )]
    RolloverIncomplete {
        ready: u64,
        seen: u64,
        threshold: u8,
    },

    // Lifecycle
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    #[error(
        "`{name}` was deleted: `enlist allow-reenroll device {name} -g {group}` lets it back once"
    )]
    Tombstoned { name: Name, group: Name },

    // Orders and receipts
    #[error(transparent)]
    Order(#[from] OrderRefusal),

    // Letting in
    #[error("no provisioning secret was sent: this group asks for one")]
    SecretMissing,
    #[error("the provisioning secret is not one of this group's: check tenant, group and secret")]
    SecretWrong,
    #[error(transparent)]
    SecretBounds(SecretRefusal),
    #[error("too many wrong secrets from this address: wait {retry_after_s} seconds")]
    GuessingSlowedDown { retry_after_s: u64 },
    #[error("the CSR is refused")]
    Csr(#[from] CsrError),
    #[error(
        "the CSR asks for more than a certificate over its key, which this group's profile refuses: leave out extensions and other names"
    )]
    CsrExtras,
    #[error(transparent)]
    MalformedToken(#[from] MalformedToken),
    #[error(transparent)]
    NotAnIdentity(#[from] NotAnIdentity),
    #[error(
        "this group takes only devices that were created before, and knows neither this name nor this hardware identity: `enlist add device -g {group} NAME`"
    )]
    UnknownDevice { group: Name },
    #[error(
        "`{name}` is enrolled with another key: `enlist deprovision {name} -g {group}` lets it enroll anew"
    )]
    DeviceAlreadyEnrolled { name: Name, group: Name },
    #[error(
        "this key is enrolled already, and its first certificate is no longer the current one: renew instead, or recover by token"
    )]
    AlreadyEnrolled { device: DeviceId },
    #[error(
        "this key is enrolled already with {with}: a repeated enrollment must be the same in all of it"
    )]
    EnrollmentConflict { with: &'static str },
    #[error("another device of this group has this hardware identity")]
    HardwareConflict,
    #[error("`{name}` was announced with another hardware identity")]
    HardwareMismatch { name: Name },
    #[error(
        "this device was taken out of service; an operator can let it back with `enlist allow-reenroll device`"
    )]
    IdentityTombstoned,

    // Devices that are in
    #[error("the device is suspended: an operator can resume it")]
    DeviceSuspended,
    #[error("the device is {}", .0.as_str())]
    DeviceNotActive(StateKind),
    #[error("no client certificate and no proof by token was sent")]
    NoEvidence,
    #[error("the client certificate was not issued here")]
    ForeignCertificate,
    #[error("the certificate belongs to another device")]
    AnotherDevice,
    #[error(transparent)]
    Renewal(#[from] RenewalRefusal),
    #[error(
        "this renewal is onto the key that the device has: its group wants a new one each time"
    )]
    KeyNotNew,
    #[error("the device is not known, or holds no credential")]
    NoCredential,
    #[error(
        "the nonce is not this server's, is for another device, or is too old: ask for a new one"
    )]
    BadNonce,
    #[error(
        "this renewal contradicts an earlier one: another device seems to hold the same credentials"
    )]
    CloneSuspected,

    // Configuration
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),

    // This side's own troubles
    #[error("the server has more to do than it can queue: try again in {retry_after_s} seconds")]
    Busy { retry_after_s: u64 },
    #[error("the server's disk is full: nothing was recorded")]
    StorageFull,
    #[error("the server could not record or read")]
    Store(#[source] StoreError),
    #[error("the server could not sign")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("what the server has on record contradicts itself: {0}")]
    Inconsistent(&'static str),
}

/// What was looked for, or is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A tenant.
    Tenant,
    /// A group.
    Group,
    /// A device.
    Device,
    /// A provisioning secret.
    Secret,
    /// An API token.
    Token,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Group => "group",
            Self::Device => "device",
            Self::Secret => "provisioning secret",
            Self::Token => "API token",
        })
    }
}

impl Error {
    pub(crate) fn not_found(what: What, name: impl std::fmt::Display) -> Self {
        // Part of a sentence that a person reads: no control characters, no novels.
        let name: String = name.to_string().chars().take(80).collect();
        Self::NotFound {
            what,
            name: name.escape_debug().to_string(),
        }
    }

    pub(crate) fn signing(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Signing(Box::new(error))
    }

    /// The stable short name of this kind of refusal, as in the problem's type.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::NotInstallationWide => "not-installation-wide",
            Self::NotFound { what, .. } => match what {
                What::Tenant => "tenant-not-found",
                What::Group => "group-not-found",
                What::Device => "device-not-found",
                What::Secret => "secret-not-found",
                What::Token => "token-not-found",
            },
            Self::InvalidName(_) => "invalid-name",
            Self::NameTaken { .. } => "name-taken",
            Self::GroupNotEmpty { .. } => "group-not-empty",
            Self::InvalidProfile(InvalidProfile::Suffix(_)) => "invalid-profile",
            Self::InvalidProfile(_) => "lifetime-not-allowed",
            Self::InvalidRequest(_) => "invalid-request",
            Self::AwaitingCa { .. } => "awaiting-ca",
            Self::RootOffline => "root-offline",
            Self::RolloverUnderWay => "rollover-under-way",
            Self::NoNextRoot => "no-next-root",
            Self::RolloverIncomplete { .. } => "rollover-incomplete",
            Self::InvalidTransition(_) => "invalid-transition",
            Self::Tombstoned { .. } | Self::IdentityTombstoned => "tombstoned",
            Self::Order(refusal) => refusal.slug(),
            Self::SecretMissing => "secret-missing",
            Self::SecretWrong => "secret-wrong",
            Self::SecretBounds(SecretRefusal::Expired) => "secret-expired",
            Self::SecretBounds(SecretRefusal::Withdrawn) => "secret-withdrawn",
            Self::SecretBounds(SecretRefusal::UsedUp) => "secret-used-up",
            Self::GuessingSlowedDown { .. } => "guessing-slowed-down",
            Self::Csr(error) => csr_slug(error),
            Self::CsrExtras => "csr-asks-too-much",
            Self::MalformedToken(_) => "malformed-token",
            Self::NotAnIdentity(_) => "invalid-hardware-identity",
            Self::UnknownDevice { .. } => "unknown-device",
            Self::DeviceAlreadyEnrolled { .. } => "device-already-enrolled",
            Self::AlreadyEnrolled { .. } => "already-enrolled",
            Self::EnrollmentConflict { .. } => "enrollment-conflict",
            Self::HardwareConflict => "hardware-conflict",
            Self::HardwareMismatch { .. } => "hardware-mismatch",
            Self::DeviceSuspended => "device-suspended",
            Self::DeviceNotActive(StateKind::Decommissioning) => "device-decommissioning",
            Self::DeviceNotActive(StateKind::Decommissioned) => "device-decommissioned",
            Self::DeviceNotActive(_) => "device-not-active",
            Self::NoEvidence => "no-evidence",
            Self::ForeignCertificate => "foreign-certificate",
            Self::AnotherDevice => "another-device",
            Self::Renewal(refusal) => match refusal {
                RenewalRefusal::NotInUse => "certificate-superseded",
                RenewalRefusal::Revoked => "certificate-revoked",
                RenewalRefusal::Expired => "certificate-expired",
                RenewalRefusal::PastRecovery => "past-recovery",
                RenewalRefusal::WrongToken => "wrong-device-token",
                RenewalRefusal::WrongKey => "wrong-key",
            },
            Self::KeyNotNew => "key-not-new",
            Self::NoCredential => "no-credential",
            Self::BadNonce => "bad-nonce",
            Self::CloneSuspected => "clone-suspected",
            Self::Configuration(error) => error.slug(),
            Self::Busy { .. } => "busy",
            Self::StorageFull => "storage-full",
            Self::Store(_) => "storage-unavailable",
            Self::Signing(_) => "signing-failed",
            Self::Inconsistent(_) => "internal",
        }
    }

    /// Seconds after which asking again makes sense, where it does.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::GuessingSlowedDown { retry_after_s } | Self::Busy { retry_after_s } => {
                Some(*retry_after_s)
            }
            Self::StorageFull | Self::Store(_) | Self::Signing(_) => Some(30),
            _ => None,
        }
    }
}

fn csr_slug(error: &CsrError) -> &'static str {
    match error {
        CsrError::TooLarge(_) => "csr-too-large",
        CsrError::TrailingBytes => "csr-trailing-bytes",
        CsrError::WrongSignature | CsrError::UnsupportedSignature => "csr-wrong-signature",
        CsrError::Key(KeyError::Malformed(_)) => "csr-malformed",
        CsrError::Key(_) => "csr-weak-key",
        CsrError::Malformed(_) | CsrError::Version | CsrError::Pem(_) => "csr-malformed",
    }
}

impl From<SecretEvidenceRefusal> for Error {
    fn from(refusal: SecretEvidenceRefusal) -> Self {
        match refusal {
            SecretEvidenceRefusal::Wrong => Self::SecretWrong,
            SecretEvidenceRefusal::Bounds(bound) => Self::SecretBounds(bound),
        }
    }
}

impl From<IssueRefusal> for Error {
    fn from(refusal: IssueRefusal) -> Self {
        match refusal {
            IssueRefusal::Extras => Self::CsrExtras,
            other => Self::signing(other),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Contended(_) => Self::Busy { retry_after_s: 1 },
            StoreError::Full(_) => Self::StorageFull,
            error => Self::Store(error),
        }
    }
}
