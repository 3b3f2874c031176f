//! What is refused, with which status, and in which words.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, Shell};

#[test]
fn without_a_server_the_words_say_how_to_get_one() {
    let shell = Shell::new();
    for command in [
        "enlist get devices",
        "enlist add group x",
        "enlist identity --device-name=x --pre-enroll",
    ] {
        let err = shell.refused(command, 1, "no-server");
        for way in ["enlist login", "enlist quickstart", "ENLIST_SERVER"] {
            assert!(err.contains(way), "{err}");
        }
    }
    shell.refused("enlist --context plant-b get devices", 1, "unknown-context");
    shell.refused("enlist set context plant-b", 1, "unknown-context");
}

#[test]
fn a_server_that_is_away_has_a_status_of_its_own() {
    let mut rig = Rig::new();
    rig.kill();
    for command in [
        "enlist get devices",
        "enlist add group lamps",
        "enlist add devices --count 3 --prefix a",
    ] {
        let ran = rig.sh(command);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (3, ""),
            "{command}: {ran:?}"
        );
        assert!(ran.err.contains("can't be reached"), "{ran:?}");
    }
}

#[test]
fn a_server_under_another_root_is_not_believed() {
    let rig = Rig::new();
    let other = Rig::new();
    let ca = other.data().join("root.pem");
    let server = format!("ENLIST_CA={}", ca.display());
    let token = rig.data().join("admin.token");
    let token = format!("ENLIST_TOKEN=$(cat {})", token.display());
    for command in [
        "enlist get devices",
        "enlist add devices --count 3 --prefix a",
    ] {
        let ran = rig.sh(&format!("{server} {token} {command}"));
        assert_eq!(ran.status, 3, "{ran:?}");
        assert!(ran.err.contains("no trusted connection"), "{ran:?}");
    }
    let err = rig.refused(&format!("{server} enlist get devices"), 1, "no-token");
    assert!(
        !err.contains("eat_"),
        "a saved token is not shown to another installation: {err}"
    );
}

#[test]
fn tokens_are_good_for_their_tenant_and_role_and_until_they_are_taken_back() {
    let rig = Rig::new();
    rig.ok("enlist add tenant acme && enlist add tenant umbra");
    rig.ok("enlist -t acme add token ops --role operator > acme.token");
    let acme = "ENLIST_TOKEN=$(cat acme.token)";
    rig.ok(&format!("{acme} enlist -t acme add group lamps"));
    for command in [
        "add group lamps",
        "get devices",
        "get events",
        "add devices --count 1 --prefix a",
    ] {
        let ran = rig.sh(&format!("{acme} enlist -t umbra {command}"));
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(
            ran.err.contains("problem: tenant-not-found") || ran.err.contains("problem: forbidden"),
            "{ran:?}"
        );
    }
    rig.refused(
        &format!("{acme} enlist -t acme add token x --role admin"),
        1,
        "forbidden",
    );
    rig.ok("enlist -t acme add token boss --role admin > boss.token");
    let boss = "ENLIST_TOKEN=$(cat boss.token) enlist add tenant third";
    rig.refused(boss, 1, "not-installation-wide");
    rig.ok("enlist -t acme delete token ops");
    rig.refused(
        &format!("{acme} enlist -t acme get groups"),
        1,
        "unauthenticated",
    );
    let wrong = format!("ENLIST_TOKEN=eat_aaaaaaaaaa_{}", "A".repeat(43));
    rig.refused(&format!("{wrong} enlist get devices"), 1, "unauthenticated");
}

#[test]
fn login_saves_nothing_unless_the_server_knows_the_token() {
    let rig = Rig::new();
    let wrong = format!("eat_aaaaaaaaaa_{}\n", "A".repeat(43));
    rig.write("wrong.token", &wrong);
    let login = |token: &str, name: &str| {
        format!(
            "enlist login --server {} --ca ../data/root.pem --token-file {token} --name {name}",
            rig.url
        )
    };
    rig.refused(&login("wrong.token", "wrong"), 1, "unauthenticated");
    rig.write("cut.token", "eat_aaaaaaaaaa");
    let err = rig.sh(&login("cut.token", "wrong")).err;
    assert!(
        err.contains("holds no API token") && !err.contains("eat_aaaaaaaaaa"),
        "{err}"
    );
    rig.refused(&login("missing.token", "wrong"), 1, "file-missing");

    rig.ok("enlist -t default add token plant --role viewer > plant.token");
    rig.ok(&login("- < plant.token", "plant"));
    let contexts = rig.json("enlist get context -o json");
    let names: Vec<_> = contexts
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["current"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(names, [("default", false), ("plant", true)]);
    assert!(!contexts.to_string().contains("eat_"));
    rig.refused("enlist add group lamps", 1, "forbidden");
    rig.ok("enlist --context default add group lamps");
    rig.ok("enlist set context default && enlist add group lamps2");
    let file = rig.home().join(".config/enlist/contexts.json");
    assert_eq!(rig::mode(&file), 0o600);
    rig.ok("enlist set context plant && enlist delete context plant");
    let nowhere = rig.refused("enlist get groups", 1, "no-server");
    assert!(nowhere.contains("enlist set context"), "{nowhere}");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("plant"));
    let two_names = format!("{} --context y", login("plant.token", "x"));
    rig.refused(&two_names, 1, "other-context");
    let by_context = login("plant.token", "x").replace("--name x", "--context y");
    assert!(!rig.sh(&by_context).err.contains("until now"));
    assert!(rig.ok("enlist get contexts").contains('y'));
    let moved = by_context.replace("127.0.0.1", "localhost");
    let said = rig.sh(&moved).err;
    assert!(said.contains("`y` was of https://127.0.0.1"), "{said}");
    let mismatched = format!("{} -t acme", login("plant.token", "x"));
    rig.refused(&mismatched, 1, "other-tenant");
}

#[test]
fn a_broken_or_newer_file_of_contexts_is_not_written_over() {
    let rig = Rig::new();
    let file = rig.home().join(".config/enlist/contexts.json");
    for (text, words) in [
        ("{\"schema_version\": 2, \"new\": 1}", "schema version 2"),
        ("{\"schema_version\": 1, \"curent\": \"x\"}", "curent"),
        ("{\"schema_version\"", "can't be read"),
    ] {
        std::fs::write(&file, text).unwrap();
        for command in ["enlist get devices", "enlist set context x"] {
            let ran = rig.sh(command);
            assert_eq!(ran.status, 1, "{ran:?}");
            assert!(ran.err.contains(words), "{words}: {ran:?}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn names_outside_the_rule_are_refused_with_the_nearest_one() {
    let rig = Rig::new();
    for command in [
        "enlist add group Room_2",
        "enlist add device Room_2",
        "enlist get device Room_2",
        "enlist provision Room_2 -s x",
        "enlist identity --pre-enroll --device-name=Room_2",
        "enlist -t Room_2 get devices",
        "enlist suspend device Room_2",
    ] {
        let err = rig.refused(command, 2, "invalid-name");
        assert!(err.contains("`room-2` would do"), "{command}: {err}");
    }
    let nothing_left =
        "enlist gen-device-config --device-name=___ --enrollment-type=pre-enroll --persist=/p";
    rig.refused(nothing_left, 1, "invalid-name");
    assert_eq!(rig.files(".").len(), 0);
}

#[test]
fn secrets_that_do_not_fit_are_refused_and_never_repeated() {
    let rig = Rig::new();
    rig.ok("enlist add group lamps > secret.txt && enlist add group others > others.txt");
    rig.ok("enlist add device -g lamps lamp-1");
    let provision = "enlist provision lamp-1 -g lamps";
    rig.refused(
        &format!("{provision} --secret-file others.txt"),
        1,
        "secret-wrong",
    );
    let secret = rig.read("secret.txt");
    let cut = &secret[..40];
    let err = rig.sh(&format!("{provision} -s {cut}")).err;
    assert!(!err.contains(cut) && err.contains("copy it again"), "{err}");
    rig.refused(
        "enlist provision lamp-9 -g lamps --secret-file secret.txt",
        1,
        "unknown-device",
    );
    rig.refused(
        &format!("{provision} --secret-file secret.txt --ttl 1000000"),
        1,
        "lifetime-not-allowed",
    );
    let short = rig.ok("enlist add secret -g lamps --label short --expires-in 1s");
    std::thread::sleep(std::time::Duration::from_millis(1200));
    rig.refused(
        &format!("{provision} -s {}", short.trim()),
        1,
        "secret-expired",
    );
    rig.ok("enlist delete secret -g lamps short");
    rig.refused("enlist delete secret -g lamps no-such", 1, "not-found");
    let renewed = rig.ok("enlist refresh provision-secret lamps --overlap 0");
    let old = rig.sh(&format!("{provision} --secret-file secret.txt"));
    assert_eq!(old.status, 1, "{old:?}");
    rig.ok(&format!("{provision} -s {}", renewed.trim()));
}

#[test]
fn gen_device_config_writes_over_nothing_and_mints_nothing_in_vain() {
    let rig = Rig::new();
    let generate =
        "enlist gen-device-config --device-name=lamp --enrollment-type=group-enroll --persist=/p";
    rig.write("config.json", "mine");
    rig.refused(generate, 1, "file-exists");
    assert_eq!(rig.read("config.json"), "mine");
    let elsewhere = format!("{generate} --config-path no/such/dir/config.json");
    assert_eq!(rig.sh(&elsewhere).status, 1);
    assert_eq!(
        rig.json("enlist get secrets -g default -o json")
            .as_array()
            .unwrap()
            .len(),
        0
    );
    rig.ok(&format!("{generate} --force"));
    assert_eq!(
        rig.json("enlist get secrets -g default -o json")
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for method in ["local", "external"] {
        let other = generate.replace("enlist ", &format!("enlist --signing-method={method} "));
        rig.refused(&other, 1, "signing-method-mismatch");
    }
}

#[test]
fn a_full_standard_output_does_not_swallow_a_secret_in_silence() {
    let rig = Rig::new();
    let ran = rig.sh("enlist add group lamps > /dev/full");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        ran.err.contains("refresh provision-secret lamps"),
        "{ran:?}"
    );
    rig.ok("enlist refresh provision-secret lamps");
}
