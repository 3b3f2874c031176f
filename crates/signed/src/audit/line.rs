use enlist_core::{Digest, EventRecord, Seal};
use serde::{Deserialize, Serialize};

use crate::{Envelope, hex_digest};

/// One line of an exported record of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// What follows begins after this place.
    After(Place),
    /// An event.
    Sealed(Sealed),
    /// A signed statement about the events before it.
    Head(Envelope),
    /// The server has not signed what stands before: its own record does not go on from what it has seen
    /// of it before.
    Broken(Broken),
}

/// A place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The number of its event.
    pub seq: u64,
    /// The hash of that and all before it.
    #[serde(with = "hex_digest")]
    pub hash: Digest,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Its number, from 1.
    pub seq: u64,
    /// The hash of it and all before it.
    #[serde(with = "hex_digest")]
    pub hash: Digest,
    /// What is on record.
    pub event: EventRecord,
}

/// A record that was tampered with while its server ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// The place that the server has seen, and that is not there any more.
    pub seen: Place,
    /// How many events there were when it found that.
    pub events: u64,
}

impl From<Seal> for Place {
    fn from(Seal { seq, hash }: Seal) -> Self {
        Self { seq, hash }
    }
}

impl From<Place> for Seal {
    fn from(Place { seq, hash }: Place) -> Self {
        Self { seq, hash }
    }
}

impl Line {
    /// The line with its end, as it stands in the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a line is texts and numbers");
        bytes.push(b'\n');
        bytes
    }
}
