//! Files that manifests are made from.

use enlist_wire::{ManifestFileError, ManifestFormat, ManifestReader, ManifestRow};

const KINDS: [&str; 9] = [
    "serial", "uuid", "soc", "mac", "machine", "random", "named", "tpm-ek", "idevid",
];

type Read = (Vec<ManifestRow>, Result<(), ManifestFileError>);

/// Reads a file as CSV, and as JSON where it begins like that. It is taken where it is whole and each of its
/// rows has an identity, of which there is at least one. However it is cut into pieces, the same is read; and
/// the identities written again read the same, in either form.
///
/// # Panics
/// When they do not.
pub fn manifest(data: &[u8]) -> bool {
    let begin = data.iter().find(|byte| !byte.is_ascii_whitespace());
    let format = match begin {
        Some(b'[' | b'{' | b'"') => ManifestFormat::Json,
        _ => ManifestFormat::Csv,
    };
    let (rows, done) = read(format, data, data.len().max(1));
    for size in [1, 5] {
        assert_eq!(read(format, data, size), (rows.clone(), done.clone()));
    }
    assert!(rows.is_sorted_by(|one, next| one.row < next.row));
    if data.len() > 8192 {
        // Written again, a row may be longer than one is taken.
        return done.is_ok();
    }
    let found: Vec<_> = rows
        .iter()
        .filter_map(|row| row.identity.clone().ok())
        .collect();
    for (format, again) in [
        (ManifestFormat::Csv, as_csv(&found)),
        (ManifestFormat::Json, as_json(&found)),
    ] {
        let (rows, done) = read(format, again.as_bytes(), again.len());
        assert_eq!(done, Ok(()));
        let again: Result<Vec<_>, _> = rows.into_iter().map(|row| row.identity).collect();
        assert_eq!(again.as_ref(), Ok(&found));
    }
    done.is_ok() && !rows.is_empty() && found.len() == rows.len()
}

fn read(format: ManifestFormat, data: &[u8], size: usize) -> Read {
    let (mut reader, mut rows) = (ManifestReader::new(format, &KINDS), Vec::new());
    let done = data
        .chunks(size)
        .try_for_each(|piece| reader.feed(piece, &mut rows))
        .and_then(|()| reader.finish(&mut rows));
    (rows, done)
}

fn as_csv(found: &[(String, String)]) -> String {
    let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |(kind, value): &(String, String)| format!("{},{}\n", quoted(kind), quoted(value));
    "kind,value\n".to_owned() + &found.iter().map(line).collect::<String>()
}

fn as_json(found: &[(String, String)]) -> String {
    let object =
        |(kind, value): &(String, String)| serde_json::json!({"kind": kind, "value": value});
    serde_json::Value::from_iter(found.iter().map(object)).to_string()
}
