//! A compiler with the sources of its standard library, so that it builds for any target.
//!
//! Debian has both, of one version, for this machine; they are unpacked below `target/` and not
//! installed, where they would be in the way of the toolchain that is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::target::{AgentTarget, CliTarget};
use crate::run::{cargo, root, run};

/// What is unpacked: compiler, its library and LLVM, the standard library for this machine (build
/// scripts need it), and its sources.
const PACKAGES: [&str; 4] = [
    "rustc-web",
    "libstd-rust-web-dev",
    "rust-web-src",
    // Those that the others name with a version of their own are found by asking.
    "libstd-rust-web",
];

/// An unpacked toolchain.
pub(crate) struct Toolchain {
    usr: PathBuf,
}

impl Toolchain {
    /// Unpacks it, where it is not there yet.
    pub(crate) fn provide() -> Result<Self> {
        let home = root().join("target/cross/toolchain");
        let toolchain = Self {
            usr: home.join("usr"),
        };
        if toolchain.works() {
            return Ok(toolchain);
        }
        println!("unpacking Debian's rustc-web into {}", home.display());
        let debs = root().join("target/cross/debs");
        for directory in [&home, &debs] {
            if directory.exists() {
                fs::remove_dir_all(directory)?;
            }
            fs::create_dir_all(directory)?;
        }
        let packages = with_versions()?;
        run(Command::new("apt-get")
            .args(["-q", "download"])
            .args(&packages)
            .current_dir(&debs))?;
        for deb in fs::read_dir(&debs)? {
            run(Command::new("dpkg-deb")
                .arg("-x")
                .arg(deb?.path())
                .arg(&home))?;
        }
        if !toolchain.works() {
            bail!("Debian's rustc-web was unpacked and does not run");
        }
        Ok(toolchain)
    }

    /// Builds the agent as devices get it; returns the binary.
    pub(crate) fn build_agent(&self, target: &AgentTarget) -> Result<PathBuf> {
        let mut command = self.cargo(target.triple, "build", "std,panic_abort");
        self.compiler(&mut command, target.triple, target.cc);
        run(command.args(["--profile", "agent", "--package", "enlist-agent"]))?;
        let built = root().join("target/cross/build").join(target.triple);
        Ok(built.join("agent/enlist-agent"))
    }

    /// Checks that the CLI compiles.
    pub(crate) fn check_cli(&self, target: &CliTarget) -> Result<()> {
        let mut command = self.cargo(target.triple, "check", "std,panic_abort");
        match target.cc {
            Some(cc) => self.compiler(&mut command, target.triple, cc),
            None => nothing_compiled(&mut command, target.triple)?,
        }
        run(command.args(["--package", "enlist"]))
    }

    /// `cargo VERB` with this compiler, for `triple`, with these crates of the standard library.
    pub(crate) fn cargo(&self, triple: &str, verb: &str, build_std: &str) -> Command {
        let mut command = cargo([verb, "--locked", "--target", triple]);
        command
            .arg(format!("-Zbuild-std={build_std}"))
            .env("RUSTC", self.usr.join("bin/rustc"))
            .env("LD_LIBRARY_PATH", self.libraries())
            // Building the standard library is not stable, and nothing else is asked of it.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", root().join("target/cross/build"));
        command
    }

    fn compiler(&self, command: &mut Command, triple: &str, cc: &str) {
        let lower = triple.replace('-', "_");
        let linker = format!("CARGO_TARGET_{}_LINKER", lower.to_uppercase());
        let ar = cc.strip_suffix("gcc").unwrap_or(cc).to_owned() + "ar";
        command
            .env(linker, cc)
            .env(format!("CC_{lower}"), cc)
            .env(format!("AR_{lower}"), ar);
    }

    fn works(&self) -> bool {
        let sources = self.usr.join("lib/rustlib/src/rust/library/std");
        sources.exists()
            && Command::new(self.usr.join("bin/rustc"))
                .arg("--version")
                .env("LD_LIBRARY_PATH", self.libraries())
                .output()
                .is_ok_and(|output| output.status.success())
    }

    fn libraries(&self) -> PathBuf {
        self.usr.join("lib/x86_64-linux-gnu")
    }
}

/// The packages, the two whose names carry a version found by what the others depend on.
fn with_versions() -> Result<Vec<String>> {
    let mut packages: Vec<String> = PACKAGES[..3].iter().map(|&name| name.to_owned()).collect();
    let library = dependency("libstd-rust-web-dev", PACKAGES[3])?;
    packages.push(dependency(&library, "libllvm")?);
    packages.push(library);
    Ok(packages)
}

/// What `package` depends on whose name begins with `start`.
fn dependency(package: &str, start: &str) -> Result<String> {
    let output = Command::new("apt-cache")
        .args(["depends", package])
        .output()
        .context("can't run `apt-cache`")?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with(start))
        .map(str::to_owned)
        .with_context(|| format!("Debian's `{package}` is not to be had: apt-get update"))
}

/// Stands in for a C compiler and its archiver, for a check that links nothing.
fn nothing_compiled(command: &mut Command, triple: &str) -> Result<()> {
    let stand_in = root().join("target/cross/no-compiler.sh");
    fs::write(&stand_in, NO_COMPILER)?;
    run(Command::new("chmod").arg("755").arg(&stand_in))?;
    let lower = triple.replace('-', "_");
    for tool in ["CC", "AR", "CXX", "RANLIB"] {
        command.env(format!("{tool}_{lower}"), path(&stand_in)?);
    }
    command.env("SDKROOT", "/");
    Ok(())
}

/// Writes an empty file wherever a compiler would write one.
const NO_COMPILER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in
        -o) shift; : > "$1" ;;
        *.a) : > "$1" ;;
    esac
    shift
done
"#;

fn path(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the path of the work tree is not UTF-8")
}
