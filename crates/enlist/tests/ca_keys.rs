//! The key that wraps all others, and CA keys in a token, as an operator brings them.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use enlist_testkit::SoftHsm;
use rig::{Ran, Rig, eventually};

/// Tries to start a server over the data of one that has ended, and comes back with why not.
#[track_caller]
fn refused(rig: &Rig, how: &str, says: &[&str]) -> Ran {
    let ran = rig.sh(&format!(
        "{} {how} timeout 30 enlist serve --data ../data --listen 127.0.0.1:0",
        rig.record()
    ));
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{how}: {ran:?}");
    for one in says {
        assert!(ran.err.contains(one), "{how}: no `{one}` in {ran:?}");
    }
    ran
}

/// Starts a server over the data of one that has ended, which tells what it waits for, and ends in good
/// order when it is told to.
#[track_caller]
fn waits(rig: &Rig, how: &str, says: &[&str]) -> Ran {
    let ran = rig.sh(&format!(
        "{} {how} timeout --preserve-status 5 enlist serve --data ../data --listen 127.0.0.1:0",
        rig.record()
    ));
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{how}: {ran:?}");
    for one in says {
        assert!(ran.err.contains(one), "{how}: no `{one}` in {ran:?}");
    }
    ran
}

#[test]
fn a_wrapping_key_that_is_wrong_cut_empty_or_open_to_others_is_refused_with_what_to_do() {
    let mut rig = Rig::new();
    rig.kill();
    let file = rig.data().join("wrapping.key");
    let key = fs::read_to_string(&file).unwrap();

    refused(
        &rig,
        "ENLIST_WRAPPING_KEY='quite another passphrase'",
        &["not the wrapping key", "bring the right one"],
    );
    rig.write("short", "letmein\n");
    rig.ok("chmod 600 short");
    refused(&rig, "ENLIST_WRAPPING_KEY_FILE=short", &["12 characters"]);
    refused(
        &rig,
        "ENLIST_WRAPPING_KEY_FILE=nowhere",
        &["nowhere", "bring it there"],
    );

    fs::write(&file, &key[..key.len() / 2]).unwrap();
    refused(&rig, "", &["damaged", "not copied whole"]);
    fs::write(&file, "").unwrap();
    refused(&rig, "", &["wrapping.key", "is empty"]);
    fs::write(&file, &key).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = refused(&rig, "", &["chmod 600", "wrapping.key"]);
    assert!(!ran.err.contains(key.trim()), "{ran:?}");
    fs::remove_file(&file).unwrap();
    refused(&rig, "", &["no wrapping key", "--wrapping-key"]);
    assert!(!file.exists(), "a second one is never made");

    // As systemd brings it: with an access list, its group may read it by its mode.
    fs::create_dir(rig.work().join("credentials")).unwrap();
    rig.write("credentials/wrapping-key", &key);
    rig.ok("chmod 440 credentials/wrapping-key");
    for named in ["", "ENLIST_WRAPPING_KEY_FILE=$PWD/credentials/wrapping-key"] {
        let out = rig.ok(&format!(
            "export CREDENTIALS_DIRECTORY=$PWD/credentials
             {} {named} enlist serve --data ../data --listen 127.0.0.1:0 > address & server=$!
             while ! grep -q https address; do kill -0 $server; sleep 0.05; done
             kill $server; wait $server; cat address",
            rig.record()
        ));
        assert!(out.starts_with("https://"), "{out}");
    }
}

#[test]
fn an_installation_with_its_keys_in_a_token_starts_with_that_token_alone() {
    SoftHsm::in_process(
        "an_installation_with_its_keys_in_a_token_starts_with_that_token_alone",
        |token| {
            let uri = token.key_store();
            let mut rig = Rig::serving(&["--ca-key-store", &uri]);
            rig.ok("enlist add tenant acme");
            rig.ok("enlist add group -t acme lamps --enrollment open > secret.txt");
            let enroll = "enlist provision -t acme -g lamps --secret-file secret.txt";
            rig.ok(&format!("{enroll} lamp-1 --out one"));
            rig.ok("openssl verify -partial_chain -CAfile one/lamp-1_ca.pem one/lamp-1_crt.pem");
            rig.kill();

            let none = "env -u ENLIST_CA_KEY_STORE";
            let plain = |ran: &Ran| {
                assert!(!ran.err.contains("try again"), "{ran:?}");
            };
            plain(&refused(&rig, none, &["PKCS#11 token", "--ca-key-store"]));
            let with = |uri: &str| format!("ENLIST_CA_KEY_STORE='{uri}'");
            let another = uri.replace('?', ";object=of-another-installation?");
            refused(&rig, &with(&another), &["does not hold this key"]);
            let missing = uri.replace("token=device", "token=other");
            let says = ["`other`", "or name another", "`device`"];
            plain(&waits(&rig, &with(&missing), &says));
            refused(&rig, &with("pkcs11:token=device"), &["module-path"]);
            token.set_pin("0000-wrong");
            let says = ["does not take the PIN: put the right one into "];
            let wrong = refused(&rig, &with(&uri), &says);
            plain(&wrong);
            assert!(!wrong.err.contains("0000-wrong"), "{wrong:?}");
            let record = rig.record();
            let check =
                format!("{record} enlist serve --data ../data --check --ca-key-store '{uri}'");
            assert_eq!(rig.sh(&check).status, 1);
            token.set_pin(token.pin());
            let checked = rig.sh(&check);
            assert_eq!(checked.status, 0, "{checked:?}");
            assert!(
                checked.err.contains("keys of new CAs:  in /"),
                "{checked:?}"
            );

            // The service CA's key is in it: there is no certificate to serve with before it is back.
            token.unplug();
            waits(&rig, &with(&uri), &["the token `device`", "trying again"]);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_secs(4));
                    token.plug_in();
                });
                rig.start();
            });
            assert!(rig.ok("cat ../server.log").contains("trying again"));
            rig.ok(&format!("{enroll} lamp-2 --out two"));
        },
    );
}

#[test]
fn an_installation_that_gets_a_token_makes_new_keys_in_it_and_keeps_the_old_ones() {
    SoftHsm::in_process(
        "an_installation_that_gets_a_token_makes_new_keys_in_it_and_keeps_the_old_ones",
        |token| {
            let mut rig = Rig::new();
            let enroll = |rig: &Rig, tenant: &str, name: &str| {
                let tenant = format!("-t {tenant}");
                rig.ok(&format!("enlist provision {tenant} -g lamps --secret-file {name}.secret {name} --out {name}
                                 openssl verify -partial_chain -CAfile {name}/{name}_ca.pem {name}/{name}_crt.pem"));
            };
            rig.ok("enlist add group lamps --enrollment open | tee old.secret > again.secret");
            enroll(&rig, "default", "old");
            rig.kill();

            rig.ok(&format!(
                "echo \"ca_key_store = '{}'\" > ../data/server.toml",
                token.key_store()
            ));
            rig.start();
            enroll(&rig, "default", "again");
            rig.ok("enlist add tenant acme; enlist add group -t acme lamps --enrollment open > new.secret");
            enroll(&rig, "acme", "new");
            rig.kill();
            fs::remove_file(rig.data().join("server.toml")).unwrap();
            let none = "env -u ENLIST_CA_KEY_STORE";
            refused(&rig, none, &["PKCS#11 token", "--ca-key-store"]);
        },
    );
}

#[test]
fn a_token_that_goes_away_in_the_middle_of_a_batch_is_told_and_the_batch_goes_on_later() {
    SoftHsm::in_process(
        "a_token_that_goes_away_in_the_middle_of_a_batch_is_told_and_the_batch_goes_on_later",
        |token| {
            let uri = token.key_store();
            let rig = Rig::serving(&["--ca-key-store", &uri]);
            rig.ok("enlist add group lamps");
            let ahead = |name: &str| {
                format!(
                    "enlist identity -g lamps --device-name={name} --pre-enroll --identity-path {name}.json"
                )
            };
            rig.ok(&ahead("lamp-1"));
            token.unplug();
            let told = rig.refused(&ahead("lamp-2"), 1, "signer-unavailable");
            assert!(told.contains("try again"), "{told}");
            assert!(
                !rig.ok("enlist get devices -g lamps -o csv")
                    .contains("lamp-2")
            );
            // Names alone take no signature.
            rig.ok("enlist add devices -g lamps --count 3 --prefix lot-");
            token.plug_in();
            rig.ok(&ahead("lamp-2"));
        },
    );
}

#[test]
fn a_server_starts_while_its_token_is_away_or_hangs_and_serves_those_who_do_not_need_it() {
    SoftHsm::in_process(
        "a_server_starts_while_its_token_is_away_or_hangs_and_serves_those_who_do_not_need_it",
        |token| {
            let mut rig = Rig::new();
            rig.kill();
            rig.ok(&format!(
                "echo \"ca_key_store = '{}'\" > ../data/server.toml",
                token.key_store()
            ));
            rig.start();
            rig.ok("enlist add group lamps --enrollment open > default.secret
                    enlist add tenant acme; enlist add group -t acme lamps --enrollment open > acme.secret");
            let enroll = |tenant: &str, name: &str| {
                format!(
                    "enlist provision -t {tenant} -g lamps --secret-file {tenant}.secret {name} --out {name}"
                )
            };
            rig.ok(&enroll("acme", "one"));

            type Change<'a> = &'a dyn Fn();
            let ways: [(&str, Change<'_>, Change<'_>); 2] = [
                ("away", &|| token.unplug(), &|| token.plug_in()),
                ("hung", &|| token.hang(), &|| token.resume()),
            ];
            for (way, goes, comes_back) in ways {
                rig.kill();
                goes();
                let begun = Instant::now();
                rig.start();
                let took = begun.elapsed();
                assert!(took < Duration::from_secs(25), "{way}: {took:?}");
                assert!(rig.ok("cat ../server.log").contains("until it is back"));
                rig.refused(&enroll("acme", way), 1, "signer-unavailable");
                let begun = Instant::now();
                rig.ok(&enroll("default", way));
                assert!(begun.elapsed() < Duration::from_secs(5), "{way}");
                comes_back();
                let again = enroll("acme", &format!("{way}-2"));
                eventually("enrolled with the token", || rig.sh(&again).status == 0);
            }
        },
    );
}
