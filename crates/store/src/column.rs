//! Reading rows back into nouns.

use std::fmt::Write as _;
use std::time::Duration;

use enlist_core::{
    ApiTokenId, CaId, DeviceId, Digest, EventId, GroupId, ManifestId, Name, RequestId, SecretId,
    Serial, ShortId, TenantId, Timestamp, WebhookId,
};

use crate::StoreError;
use crate::engine::Row;
use crate::value::Value;

/// Reads the columns of one row from left to right.
#[derive(Clone)]
pub(crate) struct Columns<'a> {
    row: &'a dyn Row,
    table: &'static str,
    at: usize,
}

impl<'a> Columns<'a> {
    /// The columns of a row of `table`, which is named where one makes no sense.
    pub(crate) fn new(row: &'a dyn Row, table: &'static str) -> Self {
        Self { row, table, at: 0 }
    }

    /// The next column.
    pub(crate) fn next<T: Column>(&mut self) -> Result<T, StoreError> {
        self.parse(T::read)
    }

    /// The next column, a text that `parse` understands.
    pub(crate) fn text<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.parse(|value| match value {
            Value::Text(text) => parse(text),
            _ => None,
        })
    }

    /// The next column, a text that `parse` understands, or null.
    pub(crate) fn text_or_null<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.parse(|value| match value {
            Value::Null => Some(None),
            Value::Text(text) => parse(text).map(Some),
            _ => None,
        })
    }

    /// The next column; where it makes no sense, what stands there: `unreadable:` and the hex of its bytes.
    /// A number's are its decimal digits; of a type that is never stored there are none.
    pub(crate) fn next_or_raw<T: Column>(&mut self) -> Result<T, String> {
        let at = self.at;
        self.at += 1;
        let value = self.row.value(at);
        value
            .and_then(T::read)
            .ok_or_else(|| unreadable(value.unwrap_or(Value::Null)))
    }

    /// The error that the row makes no sense as a whole.
    pub(crate) fn corrupt(&self) -> StoreError {
        StoreError::Corrupt {
            what: format!("a row of {}", self.table),
        }
    }

    fn parse<T>(&mut self, parse: impl FnOnce(Value<'_>) -> Option<T>) -> Result<T, StoreError> {
        let at = self.at;
        self.at += 1;
        self.row
            .value(at)
            .and_then(parse)
            .ok_or_else(|| StoreError::Corrupt {
                what: format!("a row of {} with column {}", self.table, at + 1),
            })
    }
}

fn unreadable(value: Value<'_>) -> String {
    let number;
    let bytes = match value {
        Value::Null => &[][..],
        Value::Int(int) => {
            number = int.to_string();
            number.as_bytes()
        }
        Value::Text(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
    };
    let mut text = String::from("unreadable:");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads a row of one column.
pub(crate) fn only<T: Column>(columns: &mut Columns<'_>) -> Result<T, StoreError> {
    columns.next()
}

/// What one column can be read as.
pub(crate) trait Column: Sized {
    /// Reads it; `None` where it makes no sense.
    fn read(value: Value<'_>) -> Option<Self>;
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

impl Column for i64 {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }
}

impl Column for u64 {
    fn read(value: Value<'_>) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl Column for u32 {
    fn read(value: Value<'_>) -> Option<Self> {
        i64::read(value)?.try_into().ok()
    }
}

impl Column for bool {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl Column for Timestamp {
    fn read(value: Value<'_>) -> Option<Self> {
        i64::read(value).map(Self::from_millis)
    }
}

impl Column for Duration {
    fn read(value: Value<'_>) -> Option<Self> {
        u64::read(value).map(Self::from_millis)
    }
}

impl Column for String {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Column for Name {
    fn read(value: Value<'_>) -> Option<Self> {
        String::read(value)?.try_into().ok()
    }
}

impl Column for ShortId {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Self::parse(text),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_owned()),
            _ => None,
        }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl Column for Serial {
    fn read(value: Value<'_>) -> Option<Self> {
        Self::from_be_bytes(&<[u8; 16]>::read(value)?)
    }
}

macro_rules! from_bytes {
    ($($name:ty),*) => {
        $(impl Column for $name {
            fn read(value: Value<'_>) -> Option<Self> {
                Column::read(value).map(Self::from_bytes)
            }
        })*
    };
}
from_bytes!(
    ApiTokenId, CaId, DeviceId, Digest, EventId, GroupId, ManifestId, RequestId, SecretId,
    TenantId, WebhookId
);
