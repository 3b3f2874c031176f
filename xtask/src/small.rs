//! `cargo xtask small`: the agent for devices with little memory, as small as it gets.
//!
//! The recipe in docs/operations.md ("The small build") needs nothing but cargo. This one takes musl for
//! glibc and builds Rust's standard library with the agent, for size; what it saves is in
//! docs/decisions/0008-agent-size.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cross::packages;
use crate::cross::toolchain::Toolchain;
use crate::cross::trial;
use crate::run::{output, root, run};

const TRIPLE: &str = "x86_64-unknown-linux-musl";

/// Where Debian's musl-dev has what a program begins with and its C library.
const MUSL: &str = "/usr/lib/x86_64-linux-musl";

/// Builds it, and has it enroll and renew with a real server.
///
/// # Errors
/// When it does not build, or not enroll.
pub(crate) fn build() -> Result<()> {
    packages::provide(&["musl-tools"])?;
    let toolchain = Toolchain::provide()?;
    let libraries = libraries()?;
    let mut command = toolchain.cargo(TRIPLE, "build", "std,panic_abort");
    command
        .arg("-Zbuild-std-features=optimize_for_size")
        .args(["--profile", "agent", "--no-default-features"])
        .args(["--package", "enlist-agent"])
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rust_flags(&libraries)?.join("\x1f"),
        )
        .env("CC_x86_64_unknown_linux_musl", "musl-gcc")
        .env("AR_x86_64_unknown_linux_musl", "ar")
        .env("CFLAGS_x86_64_unknown_linux_musl", C_FLAGS)
        // The kernel's randomness alone: see packaging/small.toml.
        .env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1");
    run(&mut command)?;
    let built = root().join("target/cross/build").join(TRIPLE);
    let binary = built.join("agent/enlist-agent");
    trial::enroll(TRIPLE, || Command::new(&binary))?;
    trial::tell_size(TRIPLE, &binary)?;
    println!("{}", binary.display());
    Ok(())
}

/// No tables for unwinding, and each function for itself, so that those which nobody calls are left out.
const C_FLAGS: &str =
    "-fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections";

/// How it is compiled and linked, besides what the profile says.
fn rust_flags(libraries: &Path) -> Result<Vec<String>> {
    let linker = linker()?;
    let mut flags: Vec<String> = [
        "-Clinker-flavor=ld.lld",
        "-Clink-self-contained=no",
        "-Ctarget-feature=+crt-static",
        "-Cforce-unwind-tables=no",
        // It ends where it panics, as it does anyway, and says nothing: the words and places of all that
        // never happens are a good part of the program.
        "-Zunstable-options",
        "-Cpanic=immediate-abort",
        "-Zlocation-detail=none",
        "-Clink-arg=--icf=all",
        "-Clink-arg=-O2",
        "-Clink-arg=--no-eh-frame-hdr",
        "-Clink-arg=-Tpackaging/small.ld",
    ]
    .map(str::to_owned)
    .into();
    flags.push(format!("-Clinker={}", linker.display()));
    flags.push(format!("-L{}", libraries.display()));
    // What musl's own wrapper of gcc would name, but for the first: it knows no static program that can
    // lie anywhere.
    flags.push(format!("-Zpre-link-args={MUSL}/rcrt1.o {MUSL}/crti.o"));
    flags.push(format!("-Clink-arg={MUSL}/crtn.o"));
    Ok(flags)
}

/// A directory with the C library, and with an empty one for unwinding: Rust asks for it by name and, with
/// nothing that unwinds, for nothing in it.
fn libraries() -> Result<PathBuf> {
    let directory = root().join("target/cross/musl");
    fs::create_dir_all(&directory)?;
    let libc = Path::new(MUSL).join("libc.a");
    fs::copy(&libc, directory.join("libc.a"))
        .with_context(|| format!("can't copy {}", libc.display()))?;
    // What an archive is, with nothing in it.
    fs::write(directory.join("libunwind.a"), "!<arch>\n")?;
    Ok(directory)
}

/// The linker that comes with the installed toolchain: it puts together what is twice the same.
fn linker() -> Result<PathBuf> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let sysroot = String::from_utf8(sysroot).context("the toolchain's path is not UTF-8")?;
    let linker =
        Path::new(sysroot.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    if !linker.exists() {
        bail!("the installed toolchain has no {}", linker.display());
    }
    Ok(linker)
}
