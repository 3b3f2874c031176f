//! Whether a package is what it should be.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::contents::{Package, completions};
use crate::run::{output, run, succeeds};

/// Unpacks a package into a directory of its own, and runs what came out.
///
/// # Errors
/// When something is missing, does not run, or a unit is not one.
pub(crate) fn look(file: &Path, package: &Package) -> Result<()> {
    let place = file.with_extension("unpacked");
    if place.exists() {
        std::fs::remove_dir_all(&place)?;
    }
    run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&place))?;
    let binary = package.binary;
    let version = output(Command::new(place.join("usr/bin").join(binary)).arg("--version"))?;
    if !String::from_utf8_lossy(&version).contains(env!("CARGO_PKG_VERSION")) {
        bail!("the packaged `{binary}` is of another version");
    }
    let mut wanted = vec![
        format!("usr/share/man/man1/{binary}.1.gz"),
        format!("usr/share/doc/{binary}/copyright"),
    ];
    wanted.extend(completions(binary).map(|(_, path)| path));
    wanted.extend(package.shared().map(|(_, path)| path));
    for path in wanted {
        if !place.join(&path).is_file() {
            bail!("the package `{binary}` has no {path}");
        }
    }
    if succeeds("systemd-analyze", &["--version"]) {
        verify(&place, package)?;
    }
    Ok(())
}

/// Lets systemd read the units. The program lies elsewhere than they say, so copies say so.
fn verify(place: &Path, package: &Package) -> Result<()> {
    let copies = place.join("units");
    std::fs::create_dir_all(&copies)?;
    let said = format!("/usr/bin/{}", package.binary);
    let lies = place.join("usr/bin").join(package.binary);
    for unit in package.units {
        let text = std::fs::read_to_string(place.join("lib/systemd/system").join(unit))?;
        let text = text.replace(&said, &lies.display().to_string());
        std::fs::write(copies.join(unit), text)?;
    }
    // A template is read through what starts it.
    let whole = package.units.iter().filter(|unit| !unit.contains('@'));
    run(Command::new("systemd-analyze")
        .args(["--man=no", "verify"])
        .args(whole.map(|unit| copies.join(unit))))
}
