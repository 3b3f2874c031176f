//! What a wipe never erases, whatever it is told: a slip in a list must not take the system along.

use std::path::{Component, Path, PathBuf};

/// A receipt names each, with what else was erased, and servers take receipts of up to 1000 items.
pub(super) const MOST_WIPE_PATHS: usize = 900;

/// Directories that are nobody's user data as a whole; what lies in them may be.
const SYSTEM: [&str; 29] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/tmp",
];

/// What lies below these is no file of anybody's, or starts the machine.
const NOTHING_BELOW: [&str; 9] = [
    "/bin", "/boot", "/dev", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr/bin",
];

/// Why a wipe must not erase `path`; `None` when it may. `own` is the agent's own directory, which it
/// erases in its own order; `kept` are other files that have to stay, and with them what holds them.
pub(crate) fn forbidden(path: &Path, own: &Path, kept: &[PathBuf]) -> Option<String> {
    if !path.is_absolute() {
        return Some("it is no absolute path".to_owned());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Some("it goes back up with `..`; write the path that is meant".to_owned());
    }
    if path.parent().is_none() || SYSTEM.iter().any(|system| path == Path::new(system)) {
        return Some("it is a directory of the system; name what lies in it".to_owned());
    }
    if NOTHING_BELOW.iter().any(|system| path.starts_with(system)) {
        return Some("it belongs to the system".to_owned());
    }
    if path.starts_with(own) || own.starts_with(path) {
        return Some("it is the agent's own directory, or holds it".to_owned());
    }
    let holds = |kept: &&PathBuf| kept.starts_with(path);
    kept.iter()
        .find(holds)
        .map(|kept| format!("{} has to stay", kept.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(path: &str) -> Option<String> {
        let own = Path::new("/var/lib/enlist");
        forbidden(Path::new(path), own, &["/etc/enlist/config.json".into()])
    }

    #[test]
    fn the_system_and_what_holds_the_configuration_are_never_erased() {
        for bad in [
            "",
            "app",
            "/",
            "//",
            "/etc",
            "/etc/",
            "/usr/./bin/",
            "/usr/bin/env",
            "/dev/sda1",
            "/sys/class",
            "/var/lib",
            "/var/lib/app/../../..",
            "/etc/enlist",
            "/etc/enlist/config.json",
            "/var/lib/enlist",
            "/var/lib/enlist/slots",
        ] {
            assert!(verdict(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn what_is_somebodys_may_go() {
        for good in ["/var/lib/app", "/home/kiosk", "/data/x", "/etc/app.conf"] {
            assert_eq!(verdict(good), None, "{good}");
        }
    }
}
