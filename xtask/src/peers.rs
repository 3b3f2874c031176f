//! `cargo xtask bench --peers`: the programs that this one is measured beside.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cross::packages;
use crate::run::{cargo, root, run};

/// What the comparison takes besides what tests take.
const PACKAGES: [&str; 5] = [
    "golang-go",
    "gcc",
    "golang-github-smallstep-certificates-dev",
    "golang-cfssl",
    "strace",
];

/// Builds this program as users get it and step-ca from Debian's sources, and measures both, and cfssl,
/// in turns: at the scale of this flag, or fully.
///
/// # Errors
/// When a package is missing, or something can't be built or measured.
pub(crate) fn figures(scale: Option<&str>) -> Result<()> {
    packages::provide(&PACKAGES)?;
    let step_ca = step_ca()?;
    run(&mut cargo([
        "build",
        "--locked",
        "--release",
        "--package=enlist",
        "--package=enlist-bench",
    ]))?;
    let mut bench = Command::new(root().join("target/release/enlist-bench"));
    bench.current_dir(root()).args(scale);
    run(bench.arg("--peers").arg(step_ca))
}

/// The program, built where Debian's Go packages lie; nothing is fetched.
fn step_ca() -> Result<PathBuf> {
    let target = root().join("target/peers");
    fs::create_dir_all(&target).with_context(|| format!("can't make {}", target.display()))?;
    let program = target.join("step-ca");
    let mut go = Command::new("go");
    go.args(["build", "-o"])
        .arg(&program)
        .arg("xtask/bench/step-ca/main.go")
        .current_dir(root())
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOFLAGS", "")
        .env("GOCACHE", target.join("go"));
    run(&mut go)?;
    Ok(program)
}
