//! What tests stand on: a whole server in memory behind real TLS, a clock that can be turned, a
//! seeded RNG, fake devices, and a PostgreSQL of a test's own. Only tests depend on it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc)]

mod clock;
mod device;
mod postgres;
mod raw;
mod rig;
mod rng;

pub use clock::FakeClock;
pub use device::{FakeDevice, refusal};
pub use postgres::Postgres;
pub use raw::RawAnswer;
pub use rig::Rig;
pub use rng::SeededRng;
