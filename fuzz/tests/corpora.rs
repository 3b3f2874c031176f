//! The seeds of the fuzzer, each of which is taken or refused as its name says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use enlist_fuzz::TARGETS;

#[test]
fn every_seed_is_taken_or_refused_as_its_name_says() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut wrong = Vec::new();
    for (name, target) in TARGETS {
        let mut seen = [0, 0];
        for entry in corpora.join(name).read_dir().unwrap() {
            let path = entry.unwrap().path();
            let seed = path.file_name().unwrap().to_str().unwrap().to_owned();
            let taken = target(&std::fs::read(&path).unwrap());
            seen[usize::from(taken)] += 1;
            if !seed.starts_with(if taken { "taken-" } else { "refused-" }) {
                wrong.push(format!("{name}/{seed}: taken {taken}"));
            }
        }
        assert!(
            seen.iter().all(|count| *count > 0),
            "{name} has seeds of both kinds: {seen:?}"
        );
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_corpus_is_without_a_target() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let there: BTreeSet<_> = corpora
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, known);
}
