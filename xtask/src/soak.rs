//! The faults once more and at length: larger crowds, a server paused for a whole minute.

use anyhow::Result;

use crate::run::{cargo, run};

/// Runs them so many times, one test after the other.
///
/// # Errors
/// At the first that fails.
pub(crate) fn all(rounds: u32) -> Result<()> {
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        let mut tests = cargo(["nextest", "run", "--locked", "-p", "enlist"]);
        tests.args(["--test", "faults", "--test-threads", "1"]);
        run(tests.env("ENLIST_SOAK", "1"))?;
    }
    Ok(())
}
