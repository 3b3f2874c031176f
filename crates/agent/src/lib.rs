//! The device's side of Enlist: enrolls, keeps the certificate fresh, and goes on after every kind of
//! failure where it left off.
//!
//! - [`config`] reads what the device was told, [`hardware`] what it can say about itself.
//! - [`configuration`] keeps what the programs on the device go by.
//! - [`machine`] decides what comes next, without I/O.
//! - [`disk`] and [`net`] are the two things it takes to carry that out, and [`drive`] does.
//! - [`time`] says what time it is, [`trust`] whom to believe.
//! - [`wipe`] is the end of it all, and [`button`] one way there.
//! - [`export`] hands certificate and key to other programs, [`doctor`] says what is wrong.
//! - [`cli`] is the `enlist-agent` command.

pub mod button;
pub mod cli;
pub mod config;
pub mod configuration;
pub mod disk;
pub mod doctor;
pub mod drive;
pub mod export;
pub mod hardware;
mod hooks;
mod log;
pub mod machine;
pub mod net;
mod signals;
#[cfg(target_os = "linux")]
mod systemd;
#[cfg(not(target_os = "linux"))]
#[path = "no_systemd.rs"]
mod systemd;
pub mod time;
pub mod trust;
pub mod wipe;

pub use config::Configuration;
pub use drive::{Agent, Progress, World};
pub(crate) use enlist_core::explain;
