//! What cargo knows of the workspace.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::run::{cargo, output};

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// What it depends on, leaving out what only its tests and its build do.
    pub(crate) dependencies: Vec<String>,
}

/// The crates of the workspace.
///
/// # Errors
/// When cargo can't be asked.
pub(crate) fn members() -> Result<Vec<Member>> {
    let text = output(&mut cargo([
        "metadata",
        "--locked",
        "--no-deps",
        "--format-version=1",
    ]))?;
    let metadata: Value = serde_json::from_slice(&text)?;
    metadata["packages"]
        .as_array()
        .context("cargo's metadata has no packages")?
        .iter()
        .map(member)
        .collect()
}

fn member(package: &Value) -> Result<Member> {
    let name = package["name"].as_str().context("a package has no name")?;
    let dependencies = package["dependencies"]
        .as_array()
        .context("a package has no dependencies")?
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
        .map(str::to_owned)
        .collect();
    Ok(Member {
        name: name.to_owned(),
        dependencies,
    })
}
