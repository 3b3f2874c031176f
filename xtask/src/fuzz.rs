//! `cargo xtask fuzz`: strange bytes, thought of by a machine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, root, run};

/// cargo-fuzz of this version.
const VERSION: &str = "0.13.2";

/// The longest input that is tried, in bytes: what strangers send is shorter than what is refused for
/// its length alone.
const LONGEST: u32 = 16 * 1024;

/// Runs the targets, each for some seconds; all of them, if none is named.
///
/// # Errors
/// When one finds something, there is no such target, or cargo-fuzz can't be had.
pub(crate) fn all(targets: &[String], seconds: u32) -> Result<()> {
    let known = targets_there()?;
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        bail!(
            "no target is called `{unknown}`: there are {}",
            known.join(", ")
        );
    }
    let program = installed()?;
    for target in if targets.is_empty() { &known } else { targets } {
        fuzz(&program, target, seconds)?;
    }
    Ok(())
}

/// What it finds worth keeping goes below target/, what it starts from is in the tree.
fn fuzz(program: &PathBuf, target: &str, seconds: u32) -> Result<()> {
    let own = root().join("target/fuzz");
    let (corpus, found) = (
        own.join("corpus").join(target),
        own.join("found").join(target),
    );
    for directory in [&corpus, &found] {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("can't make `{}`", directory.display()))?;
    }
    // No sanitizer: there is no unsafe code to watch, and it doubles the time.
    run(Command::new(program)
        .current_dir(root())
        .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"])
        .arg(root().join("fuzz/targets"))
        .arg("--target-dir")
        .arg(own.join("build"))
        .arg(target)
        .arg(&corpus)
        .arg(root().join("fuzz/corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        // The fuzzer counts branches with flags that only a nightly compiler takes by itself.
        .env("RUSTC_BOOTSTRAP", "1"))
    .with_context(|| format!("`{target}` found something: see {}", found.display()))
}

/// The names of the targets: each has a file of its own.
fn targets_there() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in root().join("fuzz/targets/src").read_dir()? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        targets.extend(name.map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

/// cargo-fuzz, built once into the work tree.
fn installed() -> Result<PathBuf> {
    let program = root().join(".tools/bin/cargo-fuzz");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|said| {
        String::from_utf8_lossy(&said.stdout)
            .trim()
            .ends_with(VERSION)
    }) {
        return Ok(program);
    }
    println!("building cargo-fuzz {VERSION} into .tools: some two minutes, once");
    run(
        cargo(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(root().join(".tools"))
            .arg(format!("cargo-fuzz@{VERSION}")),
    )
    .context("cargo-fuzz can't be built")?;
    Ok(program)
}
