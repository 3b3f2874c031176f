//! `cargo xtask check`.

use anyhow::Result;

use crate::package::{self, Build};
use crate::run::{cargo, run, succeeds};
use crate::steps::Steps;
use crate::{components, generate, house, lines, lint, policy, postgres, problems, softhsm};

/// The server's tests but those that are about other things than signing. `cargo xtask suite-softhsm` runs
/// all.
const SIGNING: &str =
    "not (binary(allocation) + binary(audit) + binary(hooks) + binary(routes) + binary(webhooks))";

/// The server's tests that are told on PostgreSQL, too: what every device does, and what several do at once.
/// `cargo xtask suite-postgres` runs all.
const ON_POSTGRES: &str = "binary(enrollment) + binary(renewal) + binary(secrets) + binary(admission) \
    + binary(lifecycle) + binary(approvals) + binary(orders) + binary(bulk)";

/// Runs all checks, one after another.
///
/// # Errors
/// When one of them failed.
pub(crate) fn all(fix: bool) -> Result<()> {
    let mut steps = Steps::default();
    steps.step("real components", components::provide);
    steps.step("format", || format(fix));
    steps.step("who may know whom", house::check);
    steps.step("length of files", lines::check);
    steps.step("problems documented", problems::check);
    steps.step("clippy", clippy);
    steps.step("tests", tests);
    steps.step("what they produced", lint::all);
    steps.step("tests, CA keys in a token", || {
        softhsm::suite(&["--package", "enlist-server", "-E", SIGNING].map(str::to_owned))
    });
    steps.step("tests, on PostgreSQL", || {
        postgres::suite(&["--package", "enlist-server", "-E", ON_POSTGRES].map(str::to_owned))
    });
    steps.step("doc tests", doc_tests);
    steps.step("packages", packages);
    steps.step("generated files", || generate::all(!fix));
    steps.step("dependency policy", policy::check);
    steps.finish()
}

fn format(fix: bool) -> Result<()> {
    let check: &[&str] = if fix { &[] } else { &["--check"] };
    run(cargo(["fmt", "--all"]).args(check))
}

fn clippy() -> Result<()> {
    run(&mut cargo([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny=warnings",
    ]))
}

fn tests() -> Result<()> {
    lint::begin()?;
    let mut tests = if succeeds("cargo-nextest", &["nextest", "--version"]) {
        cargo([
            "nextest",
            "run",
            "--locked",
            "--workspace",
            "--no-fail-fast",
        ])
    } else {
        cargo([
            "test",
            "--locked",
            "--workspace",
            "--all-targets",
            "--no-fail-fast",
        ])
    };
    run(tests.env(lint::PRODUCED, lint::produced()))
}

/// What is packed here is what the tests have built.
fn packages() -> Result<()> {
    if !succeeds("dpkg-deb", &["--version"]) {
        println!("skipped: dpkg-deb is Debian's");
        return Ok(());
    }
    package::all(Build::Dev)
}

fn doc_tests() -> Result<()> {
    run(&mut cargo(["test", "--locked", "--workspace", "--doc"]))
}
