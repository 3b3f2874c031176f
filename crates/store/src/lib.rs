//! One store, two engines: SQLite and PostgreSQL.
//!
//! Work is a named job: [`Store::write`] runs it on a writer thread, [`Store::read`] on a
//! reader. A job is plain sequential code over a [`Tx`]. It may be run again (a lost race, a
//! connection that broke), so it touches nothing but its `Tx`; what it returns comes from the
//! run that was committed. Jobs that wait at the same time are committed together, and are
//! answered only after the commit is durable; one that fails is undone without the others.
//!
//! # What a job may rely on
//!
//! On SQLite there is one writer, so jobs run one after another. PostgreSQL has several, under
//! `READ COMMITTED`, where four rules make a job as safe:
//!
//! - What a write job loads by its key and may change (a device, its credential, its
//!   application) is held until the commit: nobody else changes it meanwhile.
//! - Guards on what is shared (a bounded secret, a unique name, a key) are conditional
//!   statements that say whether they took effect.
//! - To make sure that something is *not* there (a tombstone), insert first, then look: what
//!   made room for the row has then been committed, and its tombstone is seen.
//! - Of two rows of which only one may be there, and which no unique key keeps apart (devices that
//!   claim the same hardware), each would be inserted before the other is seen: claim first
//!   ([`Tx::claim_hardware`]), then look.
//!
//! `SERIALIZABLE` would need none of this, but its page-wise locks make every two batches
//! collide at the right edge of the same time-ordered index, and `REPEATABLE READ` makes all
//! but one of the writers that count on the same secret start over at each commit.

mod ahead;
mod column;
mod copy;
mod directory;
mod engine;
mod error;
mod event_ids;
mod job;
mod location;
mod migrate;
mod plan;
mod postgres;
mod put_off;
mod queue;
mod reader;
mod seat;
mod sqlite;
mod stats;
mod store;
mod tables;
mod tx;
mod value;
mod writer;

pub use copy::{
    BackupDescription, Copied, CopyError, CopyProgress, CopyStep, Hears, Side, TableSum, backup,
    migrate, restore, verify_backup,
};
pub use error::{OpenError, StoreError};
pub use location::{Location, Tuning};
pub use postgres::{DatabaseNotes, database_notes};
pub use stats::{JobStats, Stats};
pub use store::Store;
pub use tables::{
    CaInUse, CertificateFilter, DeviceFilter, DevicesAlike, EventFilter, IssuedStanding,
    NewestEvents, Readiness, SealedEvent, SealedRecord, SecretsWorn, StandingChange, StoredHead,
    Unready,
};
pub use tx::Tx;
