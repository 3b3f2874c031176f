//! Whether the real programs are there.

use std::path::Path;

/// Whether `program` is in the path. Says on standard error which Debian package is missing.
///
/// # Panics
/// When it is not, and `CI=true` says that nothing may be skipped.
pub fn installed(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(|directory| Path::new(directory).to_owned()))
        .any(|directory| directory.join(program).is_file());
    if !found {
        let note = format!("{program} is not installed (Debian's package {package})");
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{note}, and CI=true asks for all tests"
        );
        eprintln!("skipped: {note}");
    }
    found
}
