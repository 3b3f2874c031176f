use enlist_pki::PublicKey;
use enlist_signed::{Envelope, KeyId, Layer, Schema, Statement};
use enlist_wire::ConfigurationNumbers as Numbers;

use super::slot::Kind;

/// A statement that was verified, with the envelope that proves it.
#[derive(Clone, Debug)]
pub(super) struct Held<S> {
    pub(super) statement: S,
    pub(super) envelope: Envelope,
}

/// Statements, at most one of each kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Statements {
    pub(super) schema: Option<Held<Schema>>,
    pub(super) group: Option<Held<Layer>>,
    pub(super) device: Option<Held<Layer>>,
}

impl<S: Statement> Held<S> {
    /// Reads what was kept; `None` unless one of `keys` has signed it.
    pub(super) fn read(json: &[u8], keys: &[PublicKey]) -> Option<Self> {
        let envelope = Envelope::from_json(json).ok()?;
        let statement = envelope.open(keys).ok()?;
        Some(Self {
            statement,
            envelope,
        })
    }

    /// The key that has signed, in short.
    fn signer(&self, keys: &[PublicKey]) -> Option<String> {
        let key = keys.iter().find(|key| self.envelope.is_signed_by(key))?;
        Some(KeyId::of(key).as_str().chars().take(16).collect())
    }
}

impl Statements {
    pub(super) fn numbers(&self) -> Numbers {
        let layer = |held: &Option<Held<Layer>>| held.as_ref().map_or(0, |h| h.statement.version);
        Numbers {
            schema: self
                .schema
                .as_ref()
                .map_or(0, |held| held.statement.version),
            group: layer(&self.group),
            device: layer(&self.device),
        }
    }

    /// Those of them that have these numbers.
    pub(super) fn only(&self, numbers: Numbers) -> Self {
        let layer = |held: &Option<Held<Layer>>, number| {
            held.clone().filter(|held| held.statement.version == number)
        };
        let schema = self.schema.clone();
        Self {
            schema: schema.filter(|held| held.statement.version == numbers.schema),
            group: layer(&self.group, numbers.group),
            device: layer(&self.device, numbers.device),
        }
    }

    /// These, with those of `newer` in place of theirs.
    pub(super) fn overlaid_by(&self, newer: &Self) -> Self {
        Self {
            schema: newer.schema.clone().or_else(|| self.schema.clone()),
            group: newer.group.clone().or_else(|| self.group.clone()),
            device: newer.device.clone().or_else(|| self.device.clone()),
        }
    }

    /// The higher number of each kind.
    pub(super) fn newest(self, other: Self) -> Self {
        let layer = |one: Option<Held<Layer>>, other: Option<Held<Layer>>| match (&one, &other) {
            (Some(a), Some(b)) if b.statement.version > a.statement.version => other,
            (None, _) => other,
            _ => one,
        };
        let schema = match (&self.schema, &other.schema) {
            (Some(a), Some(b)) if b.statement.version > a.statement.version => other.schema,
            (None, _) => other.schema,
            _ => self.schema,
        };
        Self {
            schema,
            group: layer(self.group, other.group),
            device: layer(self.device, other.device),
        }
    }

    /// The envelopes as they are kept.
    pub(super) fn files(&self) -> Vec<(Kind, Vec<u8>)> {
        let schema = self
            .schema
            .iter()
            .map(|h| (Kind::Schema, h.envelope.to_json()));
        let group = self
            .group
            .iter()
            .map(|h| (Kind::Group, h.envelope.to_json()));
        let device = self
            .device
            .iter()
            .map(|h| (Kind::Device, h.envelope.to_json()));
        schema.chain(group).chain(device).collect()
    }

    /// Who has signed them, for the log.
    pub(super) fn signers(&self, keys: &[PublicKey]) -> String {
        let mut ids: Vec<String> = [
            self.schema.as_ref().and_then(|held| held.signer(keys)),
            self.group.as_ref().and_then(|held| held.signer(keys)),
            self.device.as_ref().and_then(|held| held.signer(keys)),
        ]
        .into_iter()
        .flatten()
        .collect();
        ids.sort();
        ids.dedup();
        format!("signed by {}", ids.join(", "))
    }
}
