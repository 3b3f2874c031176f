//! What is read from the files that manifests are made from.
#![allow(clippy::unwrap_used)]

use enlist_wire::{ManifestFileError, ManifestFormat, ManifestReader, ManifestRow};

const KINDS: [&str; 5] = ["serial", "mac", "uuid", "tpm-ek", "idevid"];

/// Reads a file in pieces of each size, which must not matter.
fn read(format: ManifestFormat, file: &[u8]) -> (Vec<ManifestRow>, Result<(), ManifestFileError>) {
    let whole = in_pieces(format, file, file.len().max(1));
    for size in [1, 2, 3, 7] {
        assert_eq!(in_pieces(format, file, size), whole, "in pieces of {size}");
    }
    whole
}

fn in_pieces(
    format: ManifestFormat,
    file: &[u8],
    size: usize,
) -> (Vec<ManifestRow>, Result<(), ManifestFileError>) {
    let (mut reader, mut rows) = (ManifestReader::new(format, &KINDS), Vec::new());
    let done = file
        .chunks(size)
        .try_for_each(|piece| reader.feed(piece, &mut rows))
        .and_then(|()| reader.finish(&mut rows));
    (rows, done)
}

/// The rows of a file that can be read to its end.
fn rows(format: ManifestFormat, file: &str) -> Vec<(u64, Result<String, String>)> {
    let (rows, done) = read(format, file.as_bytes());
    done.unwrap();
    rows.into_iter()
        .map(|row| {
            let joined = |(kind, value)| format!("{kind}:{value}");
            (row.row, row.identity.map(joined))
        })
        .collect()
}

fn good(rows: &[(u64, Result<String, String>)]) -> Vec<(u64, &str)> {
    rows.iter()
        .filter_map(|(row, identity)| Some((*row, identity.as_deref().ok()?)))
        .collect()
}

#[test]
fn columns_are_found_by_their_names() {
    let file = "\u{feff}Model,Serial,TPM EK\r\nx200,\"SN 1, a\",\r\nx200,,ab12\r\n,,\r\n\r\nx200,SN-3,\r\n";
    let found = rows(ManifestFormat::Csv, file);
    assert_eq!(
        good(&found),
        [
            (2, "serial:SN 1, a"),
            (3, "tpm-ek:ab12"),
            (6, "serial:SN-3")
        ]
    );
    // Rows are counted as a spreadsheet does: empty ones too, whatever ends them, and one that is written on
    // several lines as one.
    for end in ["\n", "\r\n", "\r"] {
        let file = "\n\nnote,serial\n\n\"a\n\n\",SN-1\n\n\n\"\n\",SN-2\nx,SN-3".replace('\n', end);
        let found = rows(ManifestFormat::Csv, &file);
        let right = [(5, "serial:SN-1"), (8, "serial:SN-2"), (9, "serial:SN-3")];
        assert_eq!(good(&found), right, "{end:?}");
    }
    let file = "kind,note,value\nserial,x,1\nmac,,00:11:22:33:44:55";
    let found = rows(ManifestFormat::Csv, file);
    assert_eq!(
        good(&found),
        [(2, "serial:1"), (3, "mac:00:11:22:33:44:55")]
    );
}

#[test]
fn a_row_that_makes_no_sense_is_told_and_the_rest_goes_on() {
    let file = "serial,mac\nSN-1,\nSN-2,00:11:22:33:44:55\nSN-3\nx,y,z,w\n,\nSN-4,\n";
    let found = rows(ManifestFormat::Csv, file);
    assert_eq!(
        good(&found),
        [(2, "serial:SN-1"), (4, "serial:SN-3"), (7, "serial:SN-4")]
    );
    assert!(found[1].1.as_ref().unwrap_err().contains("more than one"));
    let (found, done) = read(ManifestFormat::Csv, b"serial\nSN-\xff\nSN-2\n");
    done.unwrap();
    assert_eq!(found[0].identity, Err("not UTF-8".to_owned()));
    assert!(found[1].identity.is_ok());

    let file = r#"["serial:1", {"serial":"2"}, {"serial":3}, {"kind":"mac","value":"4"}, nonsense,
        {"model":"x","mac":"5"}, {}, [1,"]"], "\"]:6", {"serial":"7","mac":"8"} ] "#;
    let found = rows(ManifestFormat::Json, file);
    assert_eq!(
        good(&found),
        [
            (1, "serial:1"),
            (2, "serial:2"),
            (4, "mac:4"),
            (6, "mac:5"),
            (9, "\"]:6")
        ]
    );
    assert_eq!(found.len(), 10);
    assert_eq!(
        found[2].1,
        Err("`serial` is no text: put its value in quotes".to_owned())
    );

    let file = "\n\"serial:1\"\n\n{\"serial\":\"2\nserial:3\n{\"mac\":\"4\"}";
    let found = rows(ManifestFormat::Json, file);
    assert_eq!(good(&found), [(2, "serial:1"), (6, "mac:4")]);
    assert_eq!(found.len(), 4);
}

#[test]
fn rows_that_go_with_a_quote_are_told() {
    for (file, row, why) in [
        // Never closed, in an identity, behind one, and with nothing below.
        (
            "serial\nSN-1\n\"SN-2\nSN-3\n\nSN-4",
            3,
            "never closed: 2 lines below",
        ),
        (
            "serial,note\nSN-1,\nSN-2,\"a\nSN-3,\n",
            3,
            "never closed: 1 line below",
        ),
        ("serial\nSN-1\n\"SN-2", 3, "never closed: 0 lines below"),
        // Closed by a quote that was to open something else.
        (
            "serial\nSN-1\n\"SN-2\nSN-3\n\"SN-4\"\nSN-5\n",
            3,
            "and 2 lines below went with it",
        ),
        (
            "note,serial\n,SN-1\n\"a,SN-2\n,SN-3\n\"\n",
            3,
            "no identity; a quote is opened in this row, and 1 line below",
        ),
    ] {
        for end in ["\n", "\r\n"] {
            let found = rows(ManifestFormat::Csv, &file.replace('\n', end));
            assert_eq!(good(&found)[0], (2, "serial:SN-1"), "{file}");
            let told = found.iter().find(|(at, _)| *at == row).unwrap();
            let told = told.1.as_ref().unwrap_err();
            assert!(told.contains(why), "{file}: {told}");
        }
    }
    // A quote that is opened and closed is none of that, wherever the file ends.
    let found = rows(ManifestFormat::Csv, "note,serial\n\"a\nb\",\"SN-1\"");
    assert_eq!(good(&found), [(2, "serial:SN-1")]);
}

#[test]
fn what_is_no_manifest_is_refused_as_a_whole() {
    use ManifestFileError as E;
    use ManifestFormat as F;
    for (format, file, error) in [
        (
            F::Csv,
            "",
            E::Header {
                known: KINDS.join(", "),
            },
        ),
        (
            F::Csv,
            "name,model\na,b\n",
            E::Header {
                known: KINDS.join(", "),
            },
        ),
        (F::Json, "", E::Cut { row: 0 }),
        (F::Json, " \n", E::Cut { row: 0 }),
        (F::Json, "[\"serial:1\"", E::Cut { row: 0 }),
        (F::Json, "[\"serial:1\",", E::Cut { row: 1 }),
        (F::Json, "[\"serial:1\"]]", E::NotAnArray { row: 1 }),
    ] {
        assert_eq!(read(format, file.as_bytes()).1, Err(error), "{file}");
    }
    let endless = "x".repeat(70_000);
    for (format, begin, row) in [
        (F::Csv, "serial\n\"", 2),
        (F::Json, "[\"", 1),
        (F::Json, "", 1),
    ] {
        let file = format!("{begin}{endless}");
        let error = in_pieces(format, file.as_bytes(), 999).1;
        assert_eq!(error, Err(E::TooLong { row }), "{begin}");
    }
    assert_eq!(rows(F::Json, "[]"), []);
    assert_eq!(rows(F::Json, " \n[\n]\n"), []);
    assert_eq!(rows(F::Csv, "serial\n"), []);
}
