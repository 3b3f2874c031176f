//! How long a file may be.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::run::root;

/// At this length there is a second noun in it.
const MOST: usize = 400;

/// Holds the source files to it.
///
/// # Errors
/// When one is longer.
pub(crate) fn check() -> Result<()> {
    let mut files = Vec::new();
    for directory in ["crates", "fuzz", "xtask"] {
        sources(&root().join(directory), &mut files)?;
    }
    let mut long = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("can't read `{}`", file.display()))?;
        let lines = text.lines().count();
        if lines > MOST {
            let shown = file.strip_prefix(root()).unwrap_or(file).display();
            long.push(format!("{shown} has {lines} lines"));
        }
    }
    if !long.is_empty() {
        bail!("{}: {MOST} is the ceiling", long.join(", "));
    }
    println!("{} files have {MOST} lines at most", files.len());
    Ok(())
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = directory
        .read_dir()
        .with_context(|| format!("can't read `{}`", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}
