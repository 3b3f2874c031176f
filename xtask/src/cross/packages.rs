//! Debian's packages for other machines.

use anyhow::{Result, bail};

use crate::components::{install, may_install};
use crate::run::succeeds;

/// Makes sure that these packages are installed: installs what is missing where it may.
///
/// # Errors
/// When one is missing and can't be installed; says how to.
pub(crate) fn provide(packages: &[&str]) -> Result<()> {
    let missing: Vec<_> = packages
        .iter()
        .copied()
        .filter(|package| !succeeds("dpkg", &["-s", package]))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if may_install() {
        return install(&missing);
    }
    bail!(
        "missing: sudo apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
}
