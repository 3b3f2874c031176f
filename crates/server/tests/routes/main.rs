//! A walk over every route there is: whom it refuses, whom it serves, and that a deed leaves an event.

#![allow(clippy::unwrap_used)]

mod ask;
mod cast;
mod deeds;
mod doors;
mod fixtures;
mod reads;
