//! Why an operation was refused, or failed.

mod slug;
mod what;

use enlist_attest::{RenewalRefusal, SecretEvidenceRefusal};
use enlist_ca::IssueRefusal;
use enlist_core::{
    DeviceId, InvalidName, InvalidProfile, InvalidTransition, MalformedToken, Name, NotAnIdentity,
    Role, SecretRefusal, StateKind,
};
use enlist_keys::KeyStoreError;
use enlist_pki::CsrError;
use enlist_pki::manufacturer::NotVouched;
use enlist_store::StoreError;

pub use what::What;

use crate::ca_keys::NoToken;
use crate::{ConfigurationError, HookFailure, NoLanding, OrderRefusal};

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
    #[error("this takes an API token of the whole tenant, not of one group")]
    NotTenantWide,

    // Looking up and naming
    #[error("there is no {what} `{name}`")]
    NotFound { what: What, name: String },
    #[error(
        "the root's key is offline, so there is no list of the root's: what it has signed are CAs, which no list revokes. Devices are on the list of their issuing CA, which `enlist get anchor` makes your anchor"
    )]
    NoRootCrl,
    #[error("there is no device `{name}` in group `{group}`")]
    DeviceNotFound { name: String, group: Name },
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    #[error("there is a {what} `{name}` already")]
    NameTaken { what: What, name: Name },
    #[error("the group `{name}` still has devices: delete them first")]
    GroupNotEmpty { name: Name },
    #[error(
        "the manifest `{name}` bounds a provisioning secret or a group: take back the secret with `enlist delete secret`, or give the group another manifest"
    )]
    ManifestInUse { name: Name },
    #[error(
        "the group `{group}` has no provisioning secret to replace: `enlist add secret -g {group}` makes one"
    )]
    NoSecretToReplace { group: Name },
    #[error(
        "several provisioning secrets that differ are good: say which one is to be replaced, by its id, its short id or its label, which `enlist get secrets` shows"
    )]
    SecretAmbiguous,
    #[error(transparent)]
    InvalidProfile(#[from] InvalidProfile),
    #[error("{0}")]
    InvalidRequest(String),
    #[error("the tenant `{name}` has no issuing CA yet")]
    AwaitingCa { name: Name },

    // Issuing CAs
    #[error("the issuing CA was rolled over at this very moment: try again")]
    CaSuperseded,
    #[error(
        "there is a next issuing CA already: `enlist get cas` shows it, `enlist retire ca` lets it take over"
    )]
    CaRolloverUnderWay,
    #[error("there is no next issuing CA: `enlist add ca` makes one")]
    NoNextCa,
    #[error(
        "the next issuing CA has been known for {known_h} hours, and consumers are given {overlap_h} to take its anchor up: those that have not turn away every device with a certificate under it, which --force accepts"
    )]
    CaOverlap { known_h: u64, overlap_h: u64 },
    #[error(
        "no issuing CA of this tenant waits to be signed: `enlist add ca --request` makes the request"
    )]
    NoCaRequest,
    #[error("the certificate is not taken: {0}")]
    CaRefused(String),

    // Roots
    #[error(
        "the root's key is kept offline: what it has to sign, `enlist sign ca` signs where the key is; a next root can only be made while the key is here"
    )]
    RootOffline,
    #[error(
        "the root's key is in a PKCS#11 token, which does not hand it out: back the token up with its own tools"
    )]
    RootInToken,
    #[error(
        "the signature does not verify under the current root's key: it stays here, since no working copy of it was shown"
    )]
    RootNotShown,
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
    #[error(
        "the device that waits as `{name}` shows another code than the one that was seen: it has applied since, so look at it first with `enlist get pending`"
    )]
    AnotherApplication { name: Name },

    // Orders and receipts
    #[error(transparent)]
    Order(#[from] OrderRefusal),

    // Letting in
    #[error("no provisioning secret was sent: this group asks for one")]
    SecretMissing,
    #[error("the provisioning secret is not one of this group's: check tenant, group and secret")]
    SecretWrong,
    #[error(
        "without a provisioning secret this group takes only devices whose hardware proves what it is, if those: `enlist get group NAME` says which proof counts"
    )]
    AttestationRequired,
    #[error(
        "a device with this TPM or manufacturer's certificate is enrolled already: deprovision it, and it may enroll with another key"
    )]
    AttestedAlreadyEnrolled,
    #[error("the challenge has let a device in already: ask for another one")]
    ChallengeUsed,
    #[error(
        "the challenge was not made for this TPM, tenant and group, is not answered rightly, or has expired: ask for another one"
    )]
    ChallengeInvalid,
    #[error("the hardware's proof is refused")]
    AttestationRefused(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(
        "no manufacturer that was imported vouches for this hardware: `enlist import manufacturer` its CAs, or put it on the group's manifest"
    )]
    AttestationUnknownManufacturer(#[source] NotVouched),
    #[error(
        "what the hardware has proved to be is not on the group's manifest: `enlist import manifest` adds to it"
    )]
    AttestationNotOnManifest,
    #[error("these are not the CAs of a manufacturer: {0}")]
    ManufacturerRefused(String),
    #[error("too many devices wait for a person in this group already: approve or reject some")]
    TooManyPending,
    #[error(transparent)]
    SecretBounds(#[from] SecretRefusal),
    #[error("the hook of group `{group}` does not let this device in{}", told_reason(reason.as_deref(), *tell))]
    HookRefused {
        group: Name,
        reason: Option<String>,
        tell: bool,
    },
    #[error(
        "the hook of group `{group}` could not be asked, or its answer can't be followed, and without its yes nobody gets in: nothing was recorded, and asking again later may go well"
    )]
    HookUnavailable {
        group: Name,
        #[source]
        why: HookFailure,
    },
    #[error(
        "the group `{group}` passes its newcomers on, and there is nowhere for this one to go: nothing was recorded"
    )]
    AllocationFailed {
        group: Name,
        #[source]
        why: NoLanding,
    },
    #[error(
        "too many wrong secrets, or challenges, from this address: wait {retry_after_s} seconds"
    )]
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
    #[error(
        "`{name}` was announced with another hardware identity, or has proved one: ask under another name"
    )]
    HardwareMismatch { name: Name },
    #[error(
        "this device was taken out of service; an operator can let it back with `enlist allow-reenroll device{}`",
        called(.left_by.as_ref())
    )]
    IdentityTombstoned { left_by: Option<(Name, Name)> },

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
    #[error(
        "the certificate belongs to a device of another group: ask at that group's label, or at none"
    )]
    AnotherGroup,
    #[error(
        "this device has a device token, and renews with that and its counter, by POST /v1/device/renew: its agent does so; re-enrolling by EST is for devices without a token"
    )]
    RenewsByToken,
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
    #[error(
        "a CA's key is out of reach, so nothing was signed and nothing recorded: try again in a few seconds"
    )]
    SignerUnavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("what the server has on record contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl Error {
    pub(crate) fn signing(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        if is_out_of_reach(&error) {
            return Self::SignerUnavailable(Box::new(error));
        }
        Self::Signing(Box::new(error))
    }

    pub(crate) fn attestation(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::AttestationRefused(Box::new(error))
    }

    /// Seconds after which asking again makes sense, where it does.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::GuessingSlowedDown { retry_after_s }
            | Self::Busy { retry_after_s }
            | Self::SecretBounds(SecretRefusal::TooFast { retry_after_s }) => Some(*retry_after_s),
            Self::CaSuperseded => Some(1),
            Self::HookUnavailable { .. } => Some(10),
            Self::AllocationFailed { .. } => Some(60),
            Self::TooManyPending => Some(60),
            // A failover takes seconds.
            Self::Store(StoreError::Unavailable(_)) => Some(5),
            Self::StorageFull | Self::Store(_) | Self::Signing(_) => Some(30),
            Self::SignerUnavailable(_) => Some(5),
            _ => None,
        }
    }
}

/// Whether the cause is that the key store which holds a CA's key did not sign.
fn is_out_of_reach(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<KeyStoreError>() || error.is::<NoToken>() {
            return true;
        }
        cause = error.source();
    }
    false
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

/// What a device that is refused is told of the reason.
/// A device as the command line takes it: name and group.
fn called(device: Option<&(Name, Name)>) -> String {
    device.map_or_else(String::new, |(name, group)| format!(" {name} -g {group}"))
}

fn told_reason(reason: Option<&str>, tell: bool) -> String {
    match reason.filter(|_| tell) {
        Some(reason) => format!(": {reason}"),
        None => String::new(),
    }
}
