//! `enlist import manifest`: a batch that is known ahead, with errors in some rows; and secrets bounded by it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::fmt::Write as _;

use rig::Rig;

fn entries(rig: &Rig, more: &str) -> usize {
    let entries = rig.json(&format!("enlist get manifest batch-7 -o json{more}"));
    entries.as_array().unwrap().len()
}

#[test]
fn of_twenty_thousand_rows_those_with_errors_are_told_and_the_rest_goes_in() {
    let rig = Rig::new();
    let mut file = String::from("model,serial\r\n");
    for n in 0..20_000 {
        let serial = match n % 1000 {
            7 => String::new(),
            8 => "To be filled by O.E.M.".to_owned(),
            _ => format!("SN-{n:05}"),
        };
        write!(file, "x200,{serial}\r\n").unwrap();
    }
    rig.write("batch-7.csv", &file);
    let import = "enlist import manifest batch-7 batch-7.csv";
    let ran = rig.sh(import);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.err
            .contains("19960 created, 0 there already, 40 refused"),
        "{ran:?}"
    );
    assert!(ran.err.contains("refused: row 9: no identity"), "{ran:?}");
    assert!(
        ran.err.contains("refused: row 19010, `serial:To be filled"),
        "{ran:?}"
    );
    assert_eq!(entries(&rig, ""), 19_960);

    let ran = rig.sh(&format!("{import} -o json"));
    assert_eq!(ran.status, 1);
    let rows: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 20_000);
    assert_eq!(
        (&rows[0]["row"], &rows[0]["result"]),
        (&2.into(), &"existing".into())
    );
    assert_eq!(rows[7]["problem"]["detail"], "no identity");

    let manifests = rig.json("enlist get manifests -o json");
    assert_eq!(manifests[0]["entries"], 19_960);
    let more = rig.sh("printf '[\"serial:SN-1\", {\"tpm-ek\": \"'$(printf 'ab%.0s' $(seq 32))'\"}]' | enlist import manifest batch-7 - --format json");
    assert_eq!(more.status, 0, "{more:?}");
    assert!(more.err.contains("2 created"), "{more:?}");
}

#[test]
fn a_file_without_rows_makes_no_manifest_and_says_so() {
    let rig = Rig::new();
    rig.write("empty.csv", "serial\n");
    let ran = rig.sh("enlist import manifest batch-7 empty.csv");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("no rows in the file"), "{ran:?}");
    rig.refused("enlist get manifest batch-7", 1, "manifest-not-found");
}

#[test]
fn a_group_is_shown_with_what_it_takes_in_place_of_a_secret() {
    let rig = Rig::new();
    rig.write("keys.csv", &format!("tpm-ek\n{}\n", "ab".repeat(32)));
    rig.ok("enlist import manifest batch-7 keys.csv");
    rig.ok("enlist add group plant-a");
    rig.ok("enlist add group gateways --enrollment open --no-secret --zero-touch tpm --zero-touch-manifest batch-7 --allocate weighted:plant-a=3");
    let shown = rig.ok("enlist get group gateways");
    let line = |name: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {shown}")).trim()
    };
    assert_eq!(line("zero-touch:"), "tpm");
    assert_eq!(line("zero-touch manifest:"), "batch-7");
    assert_eq!(line("without proof:"), "refuse");
    assert_eq!(line("allocation:"), "weighted:plant-a=3");
    assert_eq!(line("hook:"), "no");
    let json = rig.json("enlist get group gateways -o json");
    assert_eq!(json["zero_touch"]["manifest"], "batch-7");
    rig.refused("enlist get group none", 1, "group-not-found");
}

#[test]
fn a_bounded_secret_is_made_shown_used_and_rotated() {
    let rig = Rig::new();
    rig.ok("enlist add group lamps --enrollment open --no-secret");
    rig.write("two.csv", "named\nlamp-a\nlamp-b\n");
    rig.ok("enlist import manifest batch-7 two.csv");
    let add = "enlist add secret -g lamps --label line-4 --expires 30d --max-devices 100 --rate 100/h --network 127.0.0.0/8 --network 2001:db8::/32 --manifest batch-7";
    let secret = rig.ok(add);
    let shown = rig.json("enlist get secrets -g lamps -o json");
    assert_eq!(
        shown[0]["rate"],
        serde_json::json!({"devices": 100, "per_s": 3600})
    );
    assert_eq!(
        shown[0]["networks"],
        serde_json::json!(["127.0.0.0/8", "2001:db8::/32"])
    );
    assert_eq!(
        (&shown[0]["manifest"], &shown[0]["used"]),
        (&"batch-7".into(), &0.into())
    );
    let table = rig.ok("enlist get secrets -g lamps -o csv");
    assert!(
        table.contains("100/h") && table.contains("127.0.0.0/8 2001:db8::/32"),
        "{table}"
    );

    let refused = rig.sh("enlist delete manifest batch-7");
    assert!(
        refused.status == 1 && refused.err.contains("manifest-in-use"),
        "{refused:?}"
    );
    let secret = secret.trim();
    let unlisted = rig.sh(&format!("enlist provision lamp-1 -g lamps -s {secret}"));
    assert!(
        unlisted.status == 1 && unlisted.err.contains("manifest-not-listed"),
        "{unlisted:?}"
    );

    rig.ok("enlist refresh provision-secret lamps --overlap 0");
    let shown = rig.json("enlist get secrets -g lamps -o json");
    assert_eq!(
        (&shown[1]["manifest"], &shown[1]["max_devices"]),
        (&"batch-7".into(), &100.into())
    );
    for wrong in [
        "--rate 100",
        "--network 10.1.2.3/8",
        "--manifest Batch",
        "--rate 0/h",
    ] {
        let ran = rig.sh(&format!("enlist add secret -g lamps {wrong}"));
        assert_eq!(ran.status, 2, "{ran:?}");
    }
    assert_eq!(entries(&rig, " --unused"), 2);
}
