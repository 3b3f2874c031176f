//! Databases for tests that would do with memory, so that they are told on the other engine, too.

use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

use crate::postgres::programs;

/// Where the socket of a PostgreSQL is that tests are to use in place of memory: see `cargo xtask
/// suite-postgres`.
const SOCKET: &str = "ENLIST_TEST_POSTGRES";

/// An empty database for one server of a test, where the environment says that there is to be one; its
/// URL. Whoever has started the test clears it away, by the number of the test's process in its name.
///
/// # Panics
/// When it can't be made.
pub fn own_database() -> Option<String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    // Processes' numbers come round: one of before may have left a database.
    static BEGUN: LazyLock<u128> = LazyLock::new(|| {
        let since = UNIX_EPOCH.elapsed();
        since.expect("it is after 1970").as_millis()
    });
    let socket = std::env::var(SOCKET).ok()?;
    let bin = programs().expect("PostgreSQL, which runs already");
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{}_{number}", std::process::id(), *BEGUN);
    let made = Command::new(bin.join("createdb"))
        .args(["--username=enlist", "--host", &socket, "--", &name])
        .status()
        .expect("createdb can be run");
    assert!(made.success(), "the database {name} can't be made");
    Some(format!("postgres:///{name}?user=enlist&host={socket}"))
}
