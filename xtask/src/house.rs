//! Who may know whom.

use anyhow::{Result, bail};

use crate::metadata::{Member, members};

/// Each crate, and those it may depend on. The same table stands in ARCHITECTURE.md.
const MAY_KNOW: [(&str, &[&str]); 15] = [
    ("core", &[]),
    ("pki", &[]),
    ("wire", &[]),
    ("config", &[]),
    ("signed", &["core", "pki", "config"]),
    ("keys", &["core", "pki"]),
    ("attest", &["core", "pki"]),
    ("ca", &["core", "pki", "keys", "attest"]),
    ("store", &["core"]),
    ("outbound", &["core", "pki", "keys"]),
    (
        "ops",
        &[
            "core", "pki", "keys", "signed", "config", "attest", "ca", "store",
        ],
    ),
    (
        "server",
        &["ops", "outbound", "wire", "signed", "pki", "keys", "core"],
    ),
    (
        "agent",
        &["core", "wire", "signed", "config", "pki", "keys"],
    ),
    (
        "enlist",
        &[
            "server", "ops", "agent", "wire", "signed", "config", "pki", "keys", "core",
        ],
    ),
    // Only tests depend on it, so it may know what they know.
    (
        "testkit",
        &[
            "core", "pki", "keys", "signed", "config", "wire", "ops", "server", "agent",
        ],
    ),
];

/// What lives outside the house and may look into every room.
const OUTSIDE: [&str; 4] = [
    "xtask",
    "enlist-bench",
    "enlist-bench-request",
    "enlist-fuzz",
];

/// Holds the crates to the table.
///
/// # Errors
/// When one knows whom it may not know, or is not in the table.
pub(crate) fn check() -> Result<()> {
    let members = members()?;
    let broken = broken(&members);
    if !broken.is_empty() {
        bail!("{}", broken.join("; "));
    }
    println!("{} crates know only whom they may", members.len());
    Ok(())
}

fn broken(members: &[Member]) -> Vec<String> {
    let inside = members
        .iter()
        .filter(|member| !OUTSIDE.contains(&member.name.as_str()));
    let mut broken = Vec::new();
    for member in inside {
        let name = short(&member.name);
        let Some((_, known)) = MAY_KNOW.iter().find(|(room, _)| *room == name) else {
            broken.push(format!("`{name}` is not in the table of who may know whom"));
            continue;
        };
        let ours = |dependency: &&String| members.iter().any(|other| other.name == **dependency);
        for dependency in member.dependencies.iter().filter(ours) {
            let other = short(dependency);
            if !known.contains(&other) {
                broken.push(format!("`{name}` may not know `{other}`"));
            }
        }
    }
    broken
}

fn short(name: &str) -> &str {
    name.strip_prefix("enlist-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn the_crates_know_only_whom_they_may() {
        assert_eq!(broken(&members().unwrap()), Vec::<String>::new());
    }

    #[test]
    fn knowing_too_much_is_noticed() {
        let members = [
            member("enlist-core", &["serde"]),
            member("enlist-store", &["enlist-core", "enlist-pki"]),
            member("enlist-pki", &[]),
            member("enlist-attic", &[]),
            member("xtask", &["enlist-core"]),
        ];
        assert_eq!(
            broken(&members),
            [
                "`store` may not know `pki`",
                "`attic` is not in the table of who may know whom"
            ]
        );
    }
}
