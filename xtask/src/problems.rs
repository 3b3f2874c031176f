//! Every refusal's slug has its line in docs/problems.md.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use crate::run::root;

/// Where slugs are decided: in a `match` that gives them, or as the first argument of `problem`.
const SOURCES: [&str; 4] = [
    "crates/ops/src/error/slug.rs",
    "crates/ops/src/configuration/error.rs",
    "crates/ops/src/order/error.rs",
    "crates/server/src/problem.rs",
];
const DOCUMENT: &str = "docs/problems.md";

/// Compares the slugs in the code with those in the document.
///
/// # Errors
/// When one is missing on either side.
pub(crate) fn check() -> Result<()> {
    let mut code = BTreeSet::new();
    for source in SOURCES {
        code.extend(slugs_in_code(&read(source)?));
    }
    let document = slugs_in_document(&read(DOCUMENT)?);
    let undocumented: Vec<_> = code.difference(&document).cloned().collect();
    let gone: Vec<_> = document.difference(&code).cloned().collect();
    if !undocumented.is_empty() {
        bail!("{DOCUMENT} does not explain: {}", undocumented.join(", "));
    }
    if !gone.is_empty() {
        bail!("{DOCUMENT} explains what no code says: {}", gone.join(", "));
    }
    println!("{} slugs are explained in {DOCUMENT}", code.len());
    Ok(())
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("can't read {path}"))
}

/// Literals that stand behind `=>` or `problem(`, white space aside.
fn slugs_in_code(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for opening in ["=>", "problem("] {
        for (at, _) in text.match_indices(opening) {
            let rest = text[at + opening.len()..].trim_start();
            let Some((literal, after)) =
                rest.strip_prefix('"').and_then(|rest| rest.split_once('"'))
            else {
                continue;
            };
            // The arms of a match on nouns give words too; those have a type of their own, which
            // `Display` writes, and so no comma of a function that returns a text.
            if is_slug(literal) && after.starts_with(',') {
                found.insert(literal.to_owned());
            }
        }
    }
    for noun in NOUNS {
        found.remove(noun);
    }
    found
}

/// The words of `What`, which `Display` writes in the same file.
const NOUNS: [&str; 3] = ["tenant", "group", "device"];

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The first cells of the tables: | `slug` | …
fn slugs_in_document(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(slug, _)| slug.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_found_where_they_are_decided() {
        let code = r#"
            Self::A => "name-taken",
            Self::B | Self::C => {
                "not one"
            }
            Self::D =>
                "group-not-found",
            Self::E => f.write_str("nothing"),
            What::Group => "group",
            problem(
                "body-too-large",
                413),
        "#;
        let found: Vec<_> = slugs_in_code(code).into_iter().collect();
        assert_eq!(found, ["body-too-large", "group-not-found", "name-taken"]);
    }

    #[test]
    fn slugs_of_a_table_are_its_first_cells() {
        let text = "| slug | status |\n|---|---|\n| `busy` | 429 | try `later` |\nand `no` cell";
        let found: Vec<_> = slugs_in_document(text).into_iter().collect();
        assert_eq!(found, ["busy"]);
    }
}
