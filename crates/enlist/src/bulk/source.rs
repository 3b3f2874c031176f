//! Where the names come from.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_core::Name;
use enlist_wire::BulkRange;

use super::upload::{Body, Uploading};

/// The names of the devices.
pub enum Source {
    /// A prefix and numbers; the server makes the names.
    Range(BulkRange),
    /// A file with a name on each line; `-` is standard input.
    Lines(PathBuf),
    /// A file that is sent as it is; `-` is standard input.
    File {
        /// The file.
        path: PathBuf,
        /// Of which type it is.
        media_type: &'static str,
    },
}

impl Source {
    /// Names of a prefix and a number. The first and the last are looked at here: if they are lawful,
    /// so are those between.
    pub fn range(count: u64, prefix: String, start: u64) -> anyhow::Result<Self> {
        for number in [start, start + (count - 1)] {
            format!("{prefix}{number}").parse::<Name>()?;
        }
        Ok(Self::Range(BulkRange {
            count,
            prefix,
            start,
        }))
    }

    /// Whether the same name may come twice.
    pub fn may_repeat(&self) -> bool {
        matches!(self, Self::Lines(_))
    }

    /// How many names there are, where that can be known beforehand.
    pub fn count(&self) -> anyhow::Result<Option<u64>> {
        match self {
            Self::Range(range) => Ok(Some(range.count)),
            Self::Lines(path) | Self::File { path, .. } if path == Path::new("-") => Ok(None),
            // How many rows there are, only who reads them can tell.
            Self::File { path, .. } => open(path).map(|_| None),
            Self::Lines(path) => {
                let file = open(path)?;
                let found = file.metadata().with_context(|| unreadable(path))?;
                if !found.is_file() {
                    return Ok(None);
                }
                let mut count = 0;
                let mut file = BufReader::with_capacity(64 * 1024, file);
                loop {
                    let chunk = file.fill_buf().with_context(|| unreadable(path))?;
                    if chunk.is_empty() {
                        break;
                    }
                    count += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
                    let length = chunk.len();
                    file.consume(length);
                }
                Ok(Some(count))
            }
        }
    }

    /// The media type of what is sent.
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Range(_) => "application/json",
            Self::Lines(_) => "application/x-ndjson",
            Self::File { media_type, .. } => media_type,
        }
    }

    /// What is sent, and how far that has come.
    pub fn body(&self) -> anyhow::Result<(Body, Uploading)> {
        match self {
            Self::Range(range) => {
                let json = serde_json::to_vec(range).context("the range can't be written")?;
                Ok((Body::whole(json), Uploading::done()))
            }
            Self::Lines(path) => Ok(Body::lines(input(path)?)),
            Self::File { path, .. } => Ok(Body::file(input(path)?)),
        }
    }
}

fn input(path: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    Ok(if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(open(path)?)
    })
}

fn open(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::File::open(path).with_context(|| unreadable(path))
}

fn unreadable(path: &Path) -> String {
    format!("`{}` can't be read", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_unlawful_names_is_refused_before_anything_is_sent() {
        assert!(Source::range(10, "test-device-".into(), 1).is_ok());
        for prefix in ["Test-", "a--", "-", "a_", &"x".repeat(63)] {
            assert!(Source::range(10, prefix.to_owned(), 1).is_err(), "{prefix}");
        }
        let almost = "x".repeat(61);
        assert!(Source::range(99, almost.clone(), 1).is_ok());
        assert!(
            Source::range(100, almost, 1).is_err(),
            "the last is too long"
        );
    }
}
