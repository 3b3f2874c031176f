//! Where the bench writes: below target/, which lies on a real disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// A directory that is gone when this is dropped.
pub(crate) fn directory() -> Result<TempDir> {
    let parent = target().join("bench");
    std::fs::create_dir_all(&parent)
        .with_context(|| format!("can't make `{}`", parent.display()))?;
    // Named as the kernel names it.
    tempfile::tempdir_in(parent.canonicalize()?).context("can't make a directory for the bench")
}

/// A program that was built beside this one: its path from where this one lies.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.parent().unwrap_or(Path::new("/")).join(name);
    anyhow::ensure!(
        path.exists(),
        "`{}` is not built: run `cargo xtask bench`",
        path.display()
    );
    Ok(path)
}

/// The version of a Debian package that is installed.
pub(crate) fn packaged(package: &str) -> String {
    let asked = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", package])
        .output();
    let said = asked.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    said.unwrap_or_default()
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// Where the project's pages are.
pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}
