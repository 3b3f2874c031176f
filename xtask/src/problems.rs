//! Every refusal's slug has its line in docs/problems.md, or where it is the command line's own in
//! docs/command-line.md.

use std::collections::BTreeSet;
use std::path::Path;

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

/// Where the command line refuses by itself: `refused("slug", …)`.
const CLIENT: &str = "crates/enlist/src";
const CLIENT_DOCUMENT: &str = "docs/command-line.md";
/// Under which heading of that document its slugs stand.
const CLIENT_HEADING: &str = "## Problems it finds by itself";

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
    let own = check_client(&document)?;
    println!(
        "{} slugs are explained in {DOCUMENT}, {own} in {CLIENT_DOCUMENT}",
        code.len()
    );
    Ok(())
}

/// The same for the slugs of the command line, of which some are the server's, too.
fn check_client(of_server: &BTreeSet<String>) -> Result<usize> {
    let mut code = String::new();
    read_all(&root().join(CLIENT), &mut code)?;
    let told = slugs_behind(&code, "refused(");
    let document = slugs_of_client(&read(CLIENT_DOCUMENT)?);
    let missing = told
        .difference(&document)
        .filter(|slug| !of_server.contains(*slug));
    let undocumented: Vec<_> = missing.cloned().collect();
    let is_gone = |slug: &&String| !code.contains(&format!("\"{slug}\""));
    let gone: Vec<_> = document.iter().filter(is_gone).cloned().collect();
    if !undocumented.is_empty() {
        bail!(
            "{CLIENT_DOCUMENT} does not explain: {}",
            undocumented.join(", ")
        );
    }
    if !gone.is_empty() {
        bail!(
            "{CLIENT_DOCUMENT} explains what no code says: {}",
            gone.join(", ")
        );
    }
    Ok(document.len())
}

/// The text of every file below.
fn read_all(path: &Path, text: &mut String) -> Result<()> {
    let failed = || format!("can't read {}", path.display());
    if path.is_dir() {
        for entry in path.read_dir().with_context(failed)? {
            read_all(&entry.with_context(failed)?.path(), text)?;
        }
    } else {
        text.push_str(&std::fs::read_to_string(path).with_context(failed)?);
    }
    Ok(())
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("can't read {path}"))
}

/// Literals that stand behind `=>` or `problem(`, white space aside.
fn slugs_in_code(text: &str) -> BTreeSet<String> {
    let mut found = slugs_behind(text, "=>");
    found.extend(slugs_behind(text, "problem("));
    for noun in NOUNS {
        found.remove(noun);
    }
    found
}

fn slugs_behind(text: &str, opening: &str) -> BTreeSet<String> {
    let literals = text.match_indices(opening).filter_map(|(at, _)| {
        let rest = text[at + opening.len()..].trim_start();
        rest.strip_prefix('"')?.split_once('"')
    });
    // The arms of a match on nouns give words too; those have a type of their own, which
    // `Display` writes, and so no comma of a function that returns a text.
    let slugs = literals.filter(|(literal, after)| is_slug(literal) && after.starts_with(','));
    slugs.map(|(slug, _)| slug.to_owned()).collect()
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

/// What stands in code in the first cells under the heading: | `slug`, `slug` | …
fn slugs_of_client(text: &str) -> BTreeSet<String> {
    let lines = text.lines().skip_while(|line| *line != CLIENT_HEADING);
    let lines = lines.skip(1).take_while(|line| !line.starts_with('#'));
    let cells = lines.filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let code = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    code.map(str::to_owned).collect()
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
    #[test]
    fn several_slugs_of_the_command_line_share_a_cell() {
        let text = "| `run` | works |\n## Problems it finds by itself\n| slug | what |\n|---|---|\n\
                    | `no-home`, `no-token` | `HOME` |\n## More\n| `else` | |";
        let found: Vec<_> = slugs_of_client(text).into_iter().collect();
        assert_eq!(found, ["no-home", "no-token"]);
    }
}
