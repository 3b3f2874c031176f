//! The short names of refusals, as in the types of problems.

use enlist_attest::RenewalRefusal;
use enlist_core::{InvalidProfile, SecretRefusal, StateKind};
use enlist_pki::{CsrError, KeyError};

use super::{Error, What};

impl Error {
    /// The stable short name of this kind of refusal, as in the problem's type.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::NotInstallationWide => "not-installation-wide",
            Self::NotTenantWide => "not-tenant-wide",
            Self::DeviceNotFound { .. } => "device-not-found",
            Self::NoRootCrl => "crl-not-found",
            Self::NotFound { what, .. } => match what {
                What::Tenant => "tenant-not-found",
                What::Group => "group-not-found",
                What::Device => "device-not-found",
                What::Secret => "secret-not-found",
                What::Token => "token-not-found",
                What::Ca => "ca-not-found",
                What::Crl => "crl-not-found",
                What::Manufacturer => "manufacturer-not-found",
                What::Manifest => "manifest-not-found",
                What::Webhook => "webhook-not-found",
                What::Hook => "hook-not-found",
                What::DeadLetter => "dead-letter-not-found",
            },
            Self::InvalidName(_) => "invalid-name",
            Self::NameTaken { .. } => "name-taken",
            Self::GroupNotEmpty { .. } => "group-not-empty",
            Self::ManifestInUse { .. } => "manifest-in-use",
            Self::InvalidProfile(InvalidProfile::Suffix(_)) => "invalid-profile",
            Self::InvalidProfile(_) => "lifetime-not-allowed",
            Self::InvalidRequest(_) => "invalid-request",
            Self::AwaitingCa { .. } => "awaiting-ca",
            Self::CaSuperseded => "busy",
            Self::CaRolloverUnderWay => "ca-rollover-under-way",
            Self::NoNextCa => "no-next-ca",
            Self::CaOverlap { .. } => "ca-overlap",
            Self::NoCaRequest => "no-ca-request",
            Self::CaRefused(_) => "ca-refused",
            Self::RootOffline => "root-offline",
            Self::RootInToken => "root-in-token",
            Self::RootNotShown => "root-not-shown",
            Self::RolloverUnderWay => "rollover-under-way",
            Self::NoNextRoot => "no-next-root",
            Self::RolloverIncomplete { .. } => "rollover-incomplete",
            Self::InvalidTransition(_) => "invalid-transition",
            Self::Tombstoned { .. } | Self::IdentityTombstoned { .. } => "tombstoned",
            Self::AnotherApplication { .. } => "another-application",
            Self::Order(refusal) => refusal.slug(),
            Self::SecretMissing => "secret-missing",
            Self::SecretWrong => "secret-wrong",
            Self::NoSecretToReplace { .. } => "secret-not-found",
            Self::SecretAmbiguous => "secret-ambiguous",
            Self::AttestationRequired => "attestation-required",
            Self::AttestedAlreadyEnrolled => "attested-already-enrolled",
            Self::ChallengeUsed => "challenge-used",
            Self::ChallengeInvalid => "challenge-invalid",
            Self::AttestationRefused(_) => "attestation-refused",
            Self::AttestationUnknownManufacturer(_) => "attestation-unknown-manufacturer",
            Self::AttestationNotOnManifest => "attestation-not-on-manifest",
            Self::ManufacturerRefused(_) => "manufacturer-refused",
            Self::TooManyPending => "too-many-pending",
            Self::SecretBounds(SecretRefusal::Expired) => "secret-expired",
            Self::SecretBounds(SecretRefusal::Withdrawn) => "secret-withdrawn",
            Self::SecretBounds(SecretRefusal::UsedUp) => "secret-used-up",
            Self::SecretBounds(SecretRefusal::TooFast { .. }) => "secret-rate",
            Self::SecretBounds(SecretRefusal::Network(_)) => "secret-network",
            Self::SecretBounds(SecretRefusal::NotListed) => "manifest-not-listed",
            Self::SecretBounds(SecretRefusal::EntryUsed) => "manifest-entry-used",
            Self::HookRefused { .. } => "hook-refused",
            Self::HookUnavailable { .. } => "hook-unavailable",
            Self::AllocationFailed { .. } => "allocation-failed",
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
            Self::AnotherGroup => "another-group",
            Self::RenewsByToken => "renews-by-token",
            Self::Renewal(refusal) => match refusal {
                RenewalRefusal::NotInUse => "certificate-superseded",
                RenewalRefusal::Revoked => "certificate-revoked",
                RenewalRefusal::Expired => "certificate-expired",
                RenewalRefusal::PastRecovery => "past-recovery",
                RenewalRefusal::OtherNames => "another-subject",
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
            Self::SignerUnavailable(_) => "signer-unavailable",
            Self::Inconsistent(_) => "internal",
        }
    }

    /// What a hook has said of a device that it refuses.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::HookRefused { reason, .. } => reason.as_deref(),
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
        CsrError::Malformed(_)
        | CsrError::Version
        | CsrError::RepeatedExtension
        | CsrError::Pem(_) => "csr-malformed",
    }
}
