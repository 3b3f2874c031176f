//! The record of events: sealed, signed, exported; and what becomes of it in bad hands.

#![allow(clippy::unwrap_used)]

mod doors;
mod forged;
mod installation;
mod sealing;
mod servers;
mod tampering;
