//! The policy on dependencies: deny.toml, and cargo-deny that holds to it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::{cargo, root, run};

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources; and advisories where their database is on this machine.
///
/// # Errors
/// When a dependency is not allowed, or cargo-deny can't be had.
pub(crate) fn check() -> Result<()> {
    let program = installed()?;
    // It looks at all targets, and a build has fetched what this machine's takes.
    run(&mut cargo(["fetch", "--quiet", "--locked"]))?;
    let mut checks = vec!["licenses", "bans", "sources"];
    if advisories_are_here() {
        checks.push("advisories");
    } else {
        println!("no advisory database on this machine: advisories are not checked");
    }
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .args(["--offline", "--locked", "check", "--hide-inclusion-graph"])
        .args(checks);
    run(&mut command)
}

/// cargo-deny of the right version: from the path, or built once into the work tree.
fn installed() -> Result<PathBuf> {
    let own = root().join(".tools/bin/cargo-deny");
    for candidate in [PathBuf::from("cargo-deny"), own.clone()] {
        let version = Command::new(&candidate).arg("--version").output();
        let fits = |text: &[u8]| String::from_utf8_lossy(text).trim().ends_with(VERSION);
        if version.is_ok_and(|version| fits(&version.stdout)) {
            return Ok(candidate);
        }
    }
    println!("building cargo-deny {VERSION} into .tools: some two minutes, once");
    // Its speed does not matter, that of its build does.
    run(
        cargo(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(root().join(".tools"))
            .arg(format!("cargo-deny@{VERSION}"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0"),
    )
    .context("cargo-deny can't be built")?;
    Ok(own)
}

/// Where cargo-deny keeps the database; it is not fetched from here.
fn advisories_are_here() -> bool {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let databases = home.and_then(|home| home.join("advisory-dbs").read_dir().ok());
    databases.is_some_and(|mut entries| entries.next().is_some())
}
