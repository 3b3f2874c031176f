use std::path::{Path, PathBuf};

use super::{ConfigError, forbidden};

/// Checks where certificate and key are put for other programs to read. The agent makes that directory
/// its own, closes it to others and erases it in a wipe: what a wipe spares can't be given. `kept` are
/// files that have to stay.
pub(super) fn directory(
    path: &Path,
    directory: Option<PathBuf>,
    own: &Path,
    kept: &[PathBuf],
) -> Result<Option<PathBuf>, ConfigError> {
    let Some(directory) = directory else {
        return Ok(None);
    };
    match forbidden(&directory, own, kept) {
        None => Ok(Some(directory)),
        Some(why) => {
            let why = format!("give a directory for this alone: {why}");
            Err(ConfigError::invalid(path, "export_directory", why))
        }
    }
}

/// Checks who may read them.
pub(super) fn group(path: &Path, group: Option<String>) -> Result<Option<String>, ConfigError> {
    match group {
        Some(empty) if empty.trim().is_empty() => Err(ConfigError::invalid(
            path,
            "export_group",
            "give the name or the number of a group",
        )),
        group => Ok(group),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_agents_to_close_and_erase_is_no_place_for_credentials() {
        let check = |given: &str| {
            let (own, kept) = (
                Path::new("/var/lib/enlist"),
                ["/etc/enlist/config.json".into()],
            );
            directory(Path::new("config.json"), Some(given.into()), own, &kept)
        };
        for bad in [
            "credentials",
            "/etc",
            "/run",
            "/usr/lib",
            "/etc/enlist",
            "/var/lib/enlist/out",
            "/var/lib",
        ] {
            let refused = check(bad).unwrap_err().to_string();
            assert!(refused.contains("export_directory"), "{bad}: {refused}");
        }
        for good in ["/run/credentials", "/etc/mosquitto/enlist"] {
            assert_eq!(check(good).unwrap(), Some(good.into()));
        }
    }
}
