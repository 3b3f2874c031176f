//! Several servers on one database, and a database that goes away.

use std::process::Command;
use std::time::{Duration, Instant};

use enlist_ops::Location;
use enlist_pki::Certificate;
use enlist_testkit::{Postgres, Rig};
use enlist_wire::Enrollment;

use crate::bench::{Files, act, crl_url, get, issuing_ca, list, serials};

/// One PostgreSQL for both stories: it takes its time to start.
#[test]
fn what_one_server_revokes_the_other_tells_within_a_second() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("revocation");
    let here = Rig::on_shared(Location::Postgres(url.clone()));
    let there = Rig::beside(&here, Location::Postgres(url.clone()));
    let secret = here.group("pumps", Enrollment::Open);
    let device = here.enrolled_device("pumps", "pump-1", &secret);
    let (own, ca) = (crl_url(&device), issuing_ca(&device).unwrap());
    let path = own.strip_prefix(&here.status_url()).unwrap();
    let other = format!("{}{path}", there.status_url());
    let files = Files::of(&there, &device);
    assert!(serials(&list(&other, &ca)).is_empty());
    assert!(files.ask(&["-no_nonce"]).contains("cert.pem: good"));

    for round in 0..2 {
        here.admin()
            .suspend("default", "pumps", "pump-1", &act())
            .unwrap();
        let began = Instant::now();
        while list(&other, &ca).len() != 1 {
            assert!(began.elapsed() < Duration::from_secs(1), "round {round}");
        }
        assert!(files.ask(&["-no_nonce"]).contains("cert.pem: revoked"));
        here.admin()
            .resume("default", "pumps", "pump-1", &act())
            .unwrap();
        let began = Instant::now();
        while !list(&other, &ca).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(1), "round {round}");
        }
    }
    what_is_recorded_late_is_told_all_the_same(&url, &here, &secret, &other);
    the_parts_of_a_list_are_the_whole(&url, &other, &ca);
    nothing_is_told_without_the_record(&url, &own, &files);
}

fn sql(url: &str, statement: &str) {
    let done = Command::new("psql")
        .args(["--quiet", "--command", statement])
        .arg(url)
        .status();
    assert!(done.unwrap().success());
}

/// Another server took its time, or its clock is behind: newer changes were seen before.
fn what_is_recorded_late_is_told_all_the_same(url: &str, here: &Rig, secret: &str, list_url: &str) {
    let late = here.enrolled_device("pumps", "pump-2", secret);
    let ca = issuing_ca(&late).unwrap();
    here.enrolled_device("pumps", "pump-3", secret);
    here.admin()
        .suspend("default", "pumps", "pump-3", &act())
        .unwrap();
    let began = Instant::now();
    while list(list_url, &ca).len() != 1 {
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    let certificate = late.certificate();
    let serial = certificate.serial().iter();
    let serial: String = serial.map(|byte| format!("{byte:02x}")).collect();
    sql(
        url,
        &format!(
            "UPDATE certificates SET standing = 'held', standing_since =
                 (SELECT max(standing_since) FROM certificates) - 60000
             WHERE serial = '\\x{serial}'"
        ),
    );
    let began = Instant::now();
    while list(list_url, &ca).len() != 2 {
        assert!(began.elapsed() < Duration::from_secs(8));
    }
}

fn the_parts_of_a_list_are_the_whole(url: &str, list_url: &str, ca: &Certificate) {
    let whole = list(list_url, ca);
    assert_eq!(whole.len(), 2);
    assert_eq!(whole.distribution_point(), None);
    let base = list_url.strip_suffix(".crl").unwrap();
    assert_eq!(get(&format!("{base}/16/0.crl")).status, 404, "not in use");
    sql(url, "UPDATE tenants SET crl_parts = 16");
    assert_eq!(get(&format!("{base}/32/0.crl")).status, 404, "not in use");
    for of in [2, 4, 16] {
        let mut all = Vec::new();
        for index in 0..of {
            let url = format!("{base}/{of}/{index}.crl");
            let part = list(&url, ca);
            assert_eq!(part.distribution_point(), Some(url.as_str()));
            all.extend(serials(&part));
        }
        all.sort();
        assert_eq!(all, serials(&whole), "{of}");
    }
}

fn nothing_is_told_without_the_record(url: &str, own: &str, files: &Files) {
    // The database is still there, but what is asked of it is not.
    let sql = |statement: &str| sql(url, statement);
    sql("ALTER TABLE certificates RENAME TO gone");
    // What was true a moment ago may be told for a moment.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(get(own).status, 503);
    let said = files.ask(&["-no_nonce"]);
    assert!(said.contains("trylater"), "{said}");
    sql("ALTER TABLE gone RENAME TO certificates");
    assert_eq!(get(own).status, 200);
    assert!(files.ask(&["-no_nonce"]).contains("cert.pem: good"));
}
