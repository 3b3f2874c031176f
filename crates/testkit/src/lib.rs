//! What tests stand on: a whole server in memory behind real TLS, a clock that can be turned, a
//! seeded RNG, fake devices, and real components of a test's own: PostgreSQL, a TPM, a PKCS#11 token. Only tests depend on it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc)]

mod clock;
mod device;
mod device_orders;
mod fake_time;
mod installed;
mod kept;
mod own_database;
mod postgres;
mod postgres_lab;
mod produced;
mod raw;
mod receiver;
mod rig;
mod rng;
mod signed_request;
pub mod soft_tpm;
mod softhsm;
mod sweep;
mod swtpm;

pub use clock::FakeClock;
pub use device::{FakeDevice, refusal};
pub use fake_time::{FAKE_TIME, at_time, fakes_time};
pub use installed::installed;
pub use kept::Kept;
pub use own_database::own_database;
pub use postgres::Postgres;
pub use postgres_lab::{Cluster, PostgresLab};
pub use produced::{Product, produced, produced_below, produced_text};
pub use raw::RawAnswer;
pub use receiver::{Answer, Received, Receiver};
pub use rig::{Rig, ca_key_store};
pub use rng::SeededRng;
pub use signed_request::BadSignature;
pub use soft_tpm::SoftTpm;
pub use softhsm::SoftHsm;
pub use sweep::produced_by;
pub use swtpm::Swtpm;
