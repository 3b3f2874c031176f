//! Ids: UUIDv7 (RFC 9562), so that rows made one after another lie beside each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Clock, Rng};

/// A text that is no id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID such as 0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id out of the time and 74 random bits.
            pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self {
                let mut random = [0; 10];
                rng.fill(&mut random);
                let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The 16 bytes, as the store keeps them.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads the 16 bytes back.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

id!(
    /// A tenant.
    TenantId
);
id!(
    /// A group.
    GroupId
);
id!(
    /// A device, for as long as it lives, whatever it is called.
    DeviceId
);
id!(
    /// A provisioning secret.
    SecretId
);
id!(
    /// An API token.
    ApiTokenId
);
id!(
    /// An event.
    EventId
);
id!(
    /// A certificate authority of this installation.
    CaId
);
id!(
    /// A manifest.
    ManifestId
);
id!(
    /// A webhook.
    WebhookId
);
id!(
    /// One renewal that a device asked for; it stays the same over retries.
    RequestId
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemClock, SystemRng};

    #[test]
    fn ids_are_time_ordered_and_read_back() {
        let first = DeviceId::new(&SystemClock, &SystemRng);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(DeviceId::from_bytes(*first.as_bytes()), first);
        assert_eq!(first.as_bytes()[6] >> 4, 7, "version 7");
        assert_eq!("no id".parse::<DeviceId>(), Err(InvalidId));
    }
}
