//! How things stand in the transaction of a batch, across its jobs.

use std::any::Any;

use crate::StoreError;
use crate::engine::Engine;
use crate::put_off::{PutOff, mentions, target};
use crate::value::Value;

/// How things stand with the savepoint that keeps the jobs of one batch apart. It is set only
/// when a job first writes: one that reads and refuses has nothing to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// Not needed: the job is alone in its transaction.
    Never,
    /// Not set yet.
    Unset,
    /// Set, and nothing has been written since.
    Here,
    /// Set, and an earlier job has written since.
    Behind,
}

/// How things stand in the transaction of a batch, across its jobs.
pub(crate) struct Ahead {
    pub(crate) savepoint: Savepoint,
    /// Whether statements are put off now.
    pub(crate) is_hopeful: bool,
    pub(crate) put_off: PutOff,
    /// Whether what is found is remembered, hope or not.
    remembers: bool,
    known: Vec<Known>,
    misjudged: bool,
}

/// What a query of this transaction has found.
struct Known {
    sql: &'static str,
    values: Vec<u8>,
    found: Box<dyn Any>,
}

/// What is remembered at most.
const MOST_KNOWN: usize = 64;

impl Ahead {
    /// Of a batch that writes; with hope only on an engine that puts off.
    pub(crate) fn new(savepoint: Savepoint, is_hopeful: bool) -> Self {
        Self {
            savepoint,
            is_hopeful,
            put_off: PutOff::default(),
            remembers: false,
            known: Vec::new(),
            misjudged: false,
        }
    }

    /// Of several jobs that write, none of which is undone without the others; what one has found, the next
    /// need not ask for again.
    pub(crate) fn together() -> Self {
        Self {
            remembers: true,
            ..Self::new(Savepoint::Never, false)
        }
    }

    /// Of one job that only reads, or is alone.
    pub(crate) fn alone() -> Self {
        Self::new(Savepoint::Never, false)
    }

    /// Carries out what was put off. Where a hope has failed, [`Ahead::is_misjudged`] says so from then on,
    /// and the transaction has to be taken back.
    pub(crate) fn carry_out(&mut self, engine: &mut dyn Engine) -> Result<(), StoreError> {
        let done = match engine.many() {
            Some(many) if !self.put_off.is_empty() => many.carry_out(&self.put_off),
            _ => return Ok(()),
        };
        self.put_off.clear();
        match done {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.misjudged = true;
                Err(StoreError::Refused(std::sync::Arc::new(Misjudged)))
            }
            Err(error) => {
                // Whose fault it was shows when each is carried out by itself.
                self.misjudged = !error.is_lost_race()
                    && !matches!(error, StoreError::Unavailable(_) | StoreError::Full(_));
                Err(error)
            }
        }
    }

    pub(crate) fn is_misjudged(&self) -> bool {
        self.misjudged
    }

    /// What the same query has found before in this transaction.
    pub(crate) fn known<T: Clone + 'static>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Option<T> {
        if self.known.is_empty() || !self.may_know() {
            return None;
        }
        let values = written(values);
        let mut known = self.known.iter();
        let known = known.find(|known| known.sql == sql && known.values == values)?;
        known.found.downcast_ref::<T>().cloned()
    }

    /// Remembers what a query has found.
    pub(crate) fn remember<T: Clone + 'static>(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        found: &T,
    ) {
        if self.may_know() && self.known.len() < MOST_KNOWN {
            self.known.push(Known {
                sql,
                values: written(values),
                found: Box::new(found.clone()),
            });
        }
    }

    fn may_know(&self) -> bool {
        self.remembers || self.is_hopeful
    }

    /// Forgets what a statement that writes may have changed.
    pub(crate) fn changes(&mut self, sql: &str) {
        if !self.known.is_empty() {
            let table = target(sql);
            self.known
                .retain(|known| table.is_some_and(|table| !mentions(known.sql, table)));
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("what was put off did not come to what was hoped")]
struct Misjudged;

/// The values as bytes, no two the same.
fn written(values: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 24);
    for value in values {
        let (kind, content) = match value {
            Value::Null => (0, &[][..]),
            Value::Int(number) => (1, &number.to_be_bytes()[..]),
            Value::Text(text) => (2, text.as_bytes()),
            Value::Bytes(content) => (3, *content),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}
