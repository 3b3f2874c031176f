//! The OpenSSL binary, to check against.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs `openssl` in `dir`; its arguments are split at blanks.
pub fn openssl(dir: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("the openssl binary is there")
}

/// The same, which must succeed; returns its stdout.
pub fn openssl_ok(dir: &Path, arguments: &str) -> String {
    let output = openssl(dir, arguments);
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
