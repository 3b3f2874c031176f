//! A group of devices and its rules.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Allocation, GroupId, Name, Practice, Signing, Subject, TenantId, Timestamp, ZeroTouch,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A set of devices in one tenant, with the rules for letting them in and for their certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Its name, unique in the tenant.
    pub name: Name,
    /// Who gets in.
    pub enrollment: EnrollmentPolicy,
    /// Whether a claimed hardware identity must be unique in the group.
    pub hardware_is_identity: bool,
    /// What to do when a clone is suspected.
    pub on_clone: OnClone,
    /// How long an enrollment waits for a person.
    pub approval_timeout: Duration,
    /// How long after expiry a device may still renew by its token and key.
    pub recovery_window: Duration,
    /// How long a pre-enrolled device may lie in storage before its first start.
    pub storage_time: Duration,
    /// What its certificates look like.
    pub profile: CertificateProfile,
    /// How its devices go about things.
    pub practice: Practice,
    /// Who signs the configuration of its devices.
    pub signing: Signing,
    /// What it takes in place of a provisioning secret, if anything.
    pub zero_touch: Option<ZeroTouch>,
    /// How it passes its newcomers on to other groups, if it does.
    pub allocation: Option<Allocation>,
    /// Since when it has had the hook that it asks about newcomers, if it has one. This is told by the
    /// store; saving a group does not change it.
    pub hook: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Group {
    /// A group with the default rules.
    pub fn new(id: GroupId, tenant: TenantId, name: Name, created_at: Timestamp) -> Self {
        Self {
            id,
            tenant,
            name,
            enrollment: EnrollmentPolicy::Known,
            hardware_is_identity: false,
            on_clone: OnClone::Alert,
            approval_timeout: 7 * DAY,
            recovery_window: 30 * DAY,
            storage_time: 730 * DAY,
            profile: CertificateProfile::default(),
            practice: Practice::default(),
            signing: Signing::remote(),
            zero_touch: None,
            allocation: None,
            hook: None,
            created_at,
        }
    }

    /// Whether devices that ask here may come to be in another group.
    pub fn passes_on(&self) -> bool {
        self.hook.is_some() || self.allocation.is_some()
    }

    /// What its events are about.
    pub fn subject(&self) -> Subject {
        Subject {
            tenant: self.tenant,
            group: Some(self.id),
            device: None,
            name: self.name.to_string(),
        }
    }
}

/// Who gets into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrollmentPolicy {
    /// Devices that were created before, matched by name or hardware identity.
    Known,
    /// Whoever brings the secret: the device is created by its enrollment.
    Open,
    /// Whoever brings the secret, once a person has said yes.
    Approve,
}

/// What follows when two parties seem to use one device's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnClone {
    /// An event.
    Alert,
    /// An event, and the device is suspended.
    Suspend,
}

/// What becomes of the things a CSR asks for beyond its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CsrExtras {
    /// They are left out of the certificate.
    Ignore,
    /// The CSR is refused.
    Refuse,
}

/// What a group's certificates look like and how long they last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateProfile {
    /// The lifetime given when none is asked for.
    pub lifetime: Duration,
    /// The longest lifetime a device may ask for.
    pub max_lifetime: Duration,
    /// Whether the certificate is good for a TLS server too.
    pub server_auth: bool,
    /// What follows `{device}.{group}.{tenant}` in the DNS name.
    pub dns_suffix: Option<String>,
    /// What becomes of the things a CSR asks for beyond its key.
    pub extras: CsrExtras,
}

impl Default for CertificateProfile {
    fn default() -> Self {
        Self {
            lifetime: 168 * HOUR,
            max_lifetime: 8760 * HOUR,
            server_auth: false,
            dns_suffix: None,
            extras: CsrExtras::Ignore,
        }
    }
}

/// A profile, or a wish, that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    /// A lifetime under a minute.
    #[error("a certificate lives for a minute at least")]
    TooShort,
    /// A lifetime over what the profile allows.
    #[error("a lifetime of {asked_h} hours is over the {max_h} hours that the group allows")]
    TooLong {
        /// What was asked for, in hours.
        asked_h: u64,
        /// What is allowed, in hours.
        max_h: u64,
    },
    /// A suffix that is no DNS name.
    #[error(
        "`{0}` is not a DNS suffix: use lowercase labels joined by dots, such as devices.example.com"
    )]
    Suffix(String),
}

impl CertificateProfile {
    /// The shortest lifetime of a certificate.
    pub const SHORTEST: Duration = Duration::from_secs(60);

    /// Checks the profile by itself.
    ///
    /// # Errors
    /// When its lifetimes contradict each other or its suffix is no DNS name.
    pub fn check(&self) -> Result<(), InvalidProfile> {
        self.lifetime_for(None)?;
        if let Some(suffix) = &self.dns_suffix
            && (suffix.len() > 60 || suffix.split('.').any(|l| l.parse::<Name>().is_err()))
        {
            return Err(InvalidProfile::Suffix(suffix.chars().take(80).collect()));
        }
        Ok(())
    }

    /// The lifetime for a device that asks for `asked`.
    ///
    /// # Errors
    /// When it asks for less than a minute or more than the group allows: it is told so,
    /// never given something else in silence.
    pub fn lifetime_for(&self, asked: Option<Duration>) -> Result<Duration, InvalidProfile> {
        let asked = asked.unwrap_or(self.lifetime);
        if asked < Self::SHORTEST {
            return Err(InvalidProfile::TooShort);
        }
        if asked > self.max_lifetime {
            return Err(InvalidProfile::TooLong {
                asked_h: asked.as_secs() / 3600,
                max_h: self.max_lifetime.as_secs() / 3600,
            });
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_over_the_limit_is_refused_not_shortened() {
        let profile = CertificateProfile::default();
        assert_eq!(profile.lifetime_for(None), Ok(168 * HOUR));
        assert_eq!(profile.lifetime_for(Some(HOUR)), Ok(HOUR));
        assert!(matches!(
            profile.lifetime_for(Some(9000 * HOUR)),
            Err(InvalidProfile::TooLong { max_h: 8760, .. })
        ));
        assert_eq!(
            profile.lifetime_for(Some(Duration::ZERO)),
            Err(InvalidProfile::TooShort)
        );
    }

    #[test]
    fn a_suffix_is_a_dns_name() {
        let with = |suffix: &str| CertificateProfile {
            dns_suffix: Some(suffix.into()),
            ..CertificateProfile::default()
        };
        assert!(with("devices.example.com").check().is_ok());
        for bad in ["", ".example", "*.example", "a..b", "EXAMPLE"] {
            assert!(with(bad).check().is_err(), "{bad}");
        }
    }
}
