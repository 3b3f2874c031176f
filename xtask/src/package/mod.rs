//! `cargo xtask package`: the Debian packages `enlist-agent` and `enlist`.

mod contents;
mod deb;
mod trial;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run::{cargo, output, root, run};
use contents::{AGENT, SERVER};
use deb::Deb;

/// How the binaries are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// As devices and servers get them.
    Release,
    /// As tests have them: to see that the packages are right, in a moment.
    Dev,
}

/// Builds both packages, and tries them.
///
/// # Errors
/// When one can't be built, or is not what it should be.
pub(crate) fn all(build: Build) -> Result<()> {
    let binaries = binaries(build)?;
    let place = root().join("target/package");
    let manuals = place.join("man");
    if manuals.exists() {
        std::fs::remove_dir_all(&manuals)?;
    }
    run(std::process::Command::new(binaries.enlist.clone())
        .arg("man")
        .arg(&manuals))?;
    for package in [&AGENT, &SERVER] {
        let deb = Deb::begin(&place, package)?;
        deb.binary(binaries.of(package.binary), package.binary)?;
        deb.manuals(&manuals, package.manuals)?;
        for (shell, path) in contents::completions(package.binary) {
            let mut command = std::process::Command::new(&binaries.enlist);
            command.args(["completions", shell]);
            if package.binary == "enlist-agent" {
                command.arg("--agent");
            }
            deb.file(&path, &output(&mut command)?)?;
        }
        deb.units(package.units)?;
        deb.shared()?;
        let file = deb.finish()?;
        trial::look(&file, package)?;
        println!("{}", file.display());
    }
    Ok(())
}

struct Binaries {
    enlist: PathBuf,
    agent: PathBuf,
}

impl Binaries {
    fn of(&self, name: &str) -> &Path {
        if name == "enlist" {
            &self.enlist
        } else {
            &self.agent
        }
    }
}

fn binaries(build: Build) -> Result<Binaries> {
    let target = root().join("target");
    if build == Build::Dev {
        run(&mut cargo([
            "build",
            "--locked",
            "-p",
            "enlist",
            "-p",
            "enlist-agent",
        ]))?;
        let at = target.join("debug");
        return Ok(Binaries {
            enlist: at.join("enlist"),
            agent: at.join("enlist-agent"),
        });
    }
    run(&mut cargo([
        "build",
        "--locked",
        "--release",
        "-p",
        "enlist",
    ]))?;
    run(&mut cargo([
        "build",
        "--locked",
        "--profile",
        "agent",
        "-p",
        "enlist-agent",
    ]))?;
    Ok(Binaries {
        enlist: target.join("release/enlist"),
        agent: target.join("agent/enlist-agent"),
    })
}
