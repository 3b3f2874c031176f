//! Whether this user may read what is to be copied. SQLite alone would say that it can't be opened.

use std::io::ErrorKind;
use std::path::Path;

use super::CopyError;

/// Whether a data directory holds a record.
pub(super) fn is_there(directory: &Path) -> Result<bool, CopyError> {
    let path = directory.join("enlist.db");
    match path.metadata() {
        Ok(found) => Ok(found.is_file()),
        Err(source) if source.kind() == ErrorKind::PermissionDenied => {
            Err(not_allowed(directory, source))
        }
        Err(source)
            if matches!(
                source.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(source) => Err(CopyError::File { path, source }),
    }
}

/// Says so where it is for want of permission that a file can't be opened.
pub(super) fn not_denied(path: &Path) -> Result<(), CopyError> {
    match std::fs::File::open(path) {
        Err(source) if source.kind() == ErrorKind::PermissionDenied => {
            Err(not_allowed(path, source))
        }
        _ => Ok(()),
    }
}

fn not_allowed(path: &Path, source: std::io::Error) -> CopyError {
    #[cfg(unix)]
    let owner = path
        .metadata()
        .ok()
        .map(|found| std::os::unix::fs::MetadataExt::uid(&found));
    #[cfg(not(unix))]
    let owner = None;
    CopyError::NotAllowed {
        path: path.to_owned(),
        owner,
        source,
    }
}
