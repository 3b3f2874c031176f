//! What goes into a statement and comes out of a row.

use enlist_core::{
    ApiTokenId, CaId, DeviceId, Digest, EventId, GroupId, ManifestId, Name, RequestId, SecretId,
    Serial, ShortId, TenantId, Timestamp, WebhookId,
};

/// One value, borrowed: the few types that both engines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_millis())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a Name> for Value<'a> {
    fn from(value: &'a Name) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'a> From<&'a ShortId> for Value<'a> {
    fn from(value: &'a ShortId) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

macro_rules! as_bytes {
    ($($name:ty),*) => {
        $(impl<'a> From<&'a $name> for Value<'a> {
            fn from(value: &'a $name) -> Self {
                Self::Bytes(value.as_bytes())
            }
        })*
    };
}
as_bytes!(
    ApiTokenId, CaId, DeviceId, Digest, EventId, GroupId, ManifestId, RequestId, SecretId, Serial,
    TenantId, WebhookId
);

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A number for a column that is compared and added to. What does not fit is as large as can be.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
