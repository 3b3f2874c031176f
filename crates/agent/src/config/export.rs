use std::path::{Path, PathBuf};

use super::ConfigError;

/// Checks where certificate and key are put for other programs to read.
pub(super) fn directory(
    path: &Path,
    directory: Option<PathBuf>,
    own: &Path,
) -> Result<Option<PathBuf>, ConfigError> {
    let Some(directory) = directory else {
        return Ok(None);
    };
    let invalid = |why| ConfigError::invalid(path, "export_directory", why);
    if !directory.is_absolute() {
        return Err(invalid("give an absolute path"));
    }
    if directory.starts_with(own) || own.starts_with(&directory) {
        return Err(invalid(
            "give a directory apart from persistent_directory, which is the agent's alone",
        ));
    }
    Ok(Some(directory))
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
