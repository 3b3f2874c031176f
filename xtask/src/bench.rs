//! `cargo xtask bench`.

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, root, run};

/// Builds what is measured as users get it, and measures it.
///
/// # Errors
/// When it can't be built, or not be measured.
pub(crate) fn figures(quick: bool, parts: &[String]) -> Result<()> {
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
    let target = root().join("target");
    let mut bench = Command::new(target.join("release/enlist-bench"));
    bench.current_dir(root());
    if quick {
        bench.arg("--quick");
    }
    run(bench.args(parts))
}

fn run_cargo(args: &[&str]) -> Result<()> {
    run(&mut cargo(args.iter().copied()))
}
