//! `cargo xtask bench`.

use std::env::consts::ARCH;
use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, root, run};

/// Builds what is measured as users get it, and measures it: at the scale of this flag, or fully.
///
/// # Errors
/// When it can't be built, or not be measured.
pub(crate) fn figures(scale: Option<&str>, parts: &[String]) -> Result<()> {
    run_cargo(&[
        "build",
        "--locked",
        "--release",
        "--package=enlist",
        "--package=enlist-bench",
    ])?;
    run_cargo(&[
        "build",
        "--locked",
        "--profile=agent",
        "--package=enlist-agent",
    ])?;
    run(cargo(SMALL.iter().copied())
        .args(["--package=enlist-bench-request", "--target"])
        .arg(format!("{ARCH}-unknown-linux-gnu")))?;
    let target = root().join("target");
    let mut bench = Command::new(target.join("release/enlist-bench"));
    bench.current_dir(root());
    run(bench.args(scale).args(parts))
}

/// The small build, as docs/operations.md has it.
const SMALL: [&str; 7] = [
    "build",
    "--locked",
    "--config",
    "packaging/small.toml",
    "--profile=agent",
    "--no-default-features",
    "--package=enlist-agent",
];

fn run_cargo(args: &[&str]) -> Result<()> {
    run(&mut cargo(args.iter().copied()))
}
