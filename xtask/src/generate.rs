//! The files that are made from the code.

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output, root};

/// A file, and the arguments of `cargo` that print it.
const FILES: [(&str, &[&str]); 1] = [(
    "docs/openapi.json",
    &[
        "run",
        "--locked",
        "--quiet",
        "--package=enlist-server",
        "--example=openapi",
    ],
)];

/// Writes them, or only says whether they are up to date.
///
/// # Errors
/// When one can't be made, or is not up to date and only asked about.
pub(crate) fn all(only_check: bool) -> Result<()> {
    let mut stale = Vec::new();
    for (path, args) in FILES {
        let made = output(&mut cargo(args.iter().copied()))?;
        let file = root().join(path);
        if std::fs::read(&file).is_ok_and(|found| found == made) {
            println!("{path} is up to date");
        } else if only_check {
            stale.push(path);
        } else {
            std::fs::write(&file, &made).with_context(|| format!("can't write {path}"))?;
            println!("{path} is written");
        }
    }
    if !stale.is_empty() {
        bail!(
            "{} is not up to date: run `cargo xtask generate`",
            stale.join(", ")
        );
    }
    Ok(())
}
