//! `cargo xtask lint`: what the tests have produced, under pkilint's eyes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{in_ci, root, run, succeeds};

/// The variable by which tests learn where to keep what they come by.
pub(crate) const PRODUCED: &str = "ENLIST_PRODUCED";

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Where tests keep it.
pub(crate) fn produced() -> PathBuf {
    root().join("target/produced")
}

/// Throws away what earlier tests have produced.
///
/// # Errors
/// When it can't be removed.
pub(crate) fn begin() -> Result<()> {
    remove(&produced())
}

/// Lints the certificates, CRLs and OCSP answers that the last tests have produced.
///
/// # Errors
/// When there is an error in one of them, or one of the three kinds is missing; or when pkilint
/// can't be had, and `CI=true` says that nothing may be skipped.
pub(crate) fn all() -> Result<()> {
    if !produced().exists() {
        bail!(
            "nothing to lint: {PRODUCED}={} cargo nextest run --workspace",
            produced().display()
        );
    }
    let python = match installed() {
        Ok(python) => python,
        Err(error) if in_ci() => return Err(error),
        Err(error) => {
            println!("skipped: {error:#}");
            return Ok(());
        }
    };
    let script = root().join("xtask/src/lint/lint.py");
    run(Command::new(python).arg(script).arg(produced()))
}

/// The Python of an environment with pkilint in it, made where there is none that fits.
fn installed() -> Result<PathBuf> {
    let environment = root().join("target/pkilint");
    let python = environment.join("bin/python");
    // Written last: what is there is whole.
    let mark = environment.join("requirements.txt");
    let fits = std::fs::read_to_string(&mark).is_ok_and(|text| text == REQUIREMENTS);
    if fits && succeeds(&python.to_string_lossy(), &["-c", "import pkilint"]) {
        return Ok(python);
    }
    if !succeeds("python3", &["-c", "import venv, ensurepip"]) {
        bail!(
            "pkilint needs Python with its virtual environments: sudo apt-get install python3-venv"
        );
    }
    println!("installing pkilint into target/pkilint, once");
    remove(&environment)?;
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(root().join("xtask/src/lint/requirements.txt")))
    .context("pkilint can't be installed from PyPI")?;
    std::fs::write(&mark, REQUIREMENTS)?;
    Ok(python)
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove `{}`", directory.display()))
        }
        _ => Ok(()),
    }
}
