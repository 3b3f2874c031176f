use std::path::{Path, PathBuf};

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("{}: there is no such file", .0.display())]
    Absent(PathBuf),
    /// The file can't be read.
    #[error("{}: can't be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{}: larger than 1 MiB, which no configuration is", .0.display())]
    TooLarge(PathBuf),
    /// The file is not JSON, or a field is unknown or of the wrong type.
    #[error("{}: {}{source}", .path.display(), shown(.field))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The field, as a path such as `hooks.after_renew[0]`; `.` for the file as a whole.
        field: String,
        /// What is wrong, and in which line.
        source: serde_json::Error,
    },
    /// The file is of a version that this agent does not know.
    #[error(
        "{}: schema_version {found} is not known to this agent, which reads version {}",
        .path.display(), super::SCHEMA_VERSION
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: u32,
    },
    /// A field that must be there is not.
    #[error("{}: `{field}` is missing", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
    },
    /// Some of the four fields of a pre-enrolled identity are there, but not all.
    #[error(
        "{}: a pre-enrolled identity has four fields that belong together; missing: {}",
        .path.display(), .missing.join(", ")
    )]
    HalfQuadruple {
        /// The file.
        path: PathBuf,
        /// Those that are missing.
        missing: Vec<&'static str>,
    },
    /// A field holds what makes no sense there.
    #[error("{}: `{field}`", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConfigError {
    pub(super) fn missing(path: &Path, field: &'static str) -> Self {
        Self::Missing {
            path: path.to_owned(),
            field,
        }
    }

    pub(super) fn invalid(
        path: &Path,
        field: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            field,
            source: source.into(),
        }
    }

    /// Whether the file is simply not there yet.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

fn shown(field: &str) -> String {
    match field {
        "." | "?" => String::new(),
        field => format!("`{field}`: "),
    }
}
