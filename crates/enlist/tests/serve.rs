//! `enlist serve`: settings, start and end.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, Shell, mode};

#[test]
fn the_first_start_leaves_what_a_login_needs_and_nothing_for_others() {
    let rig = Rig::new();
    assert_eq!(mode(&rig.data()), 0o700);
    for name in ["admin.token", "wrapping.key", "enlist.db"] {
        assert_eq!(mode(&rig.data().join(name)), 0o600, "{name}");
    }
    let token = std::fs::read_to_string(rig.data().join("admin.token")).unwrap();
    assert!(token.starts_with("eat_") && token.ends_with('\n'));
}

#[test]
fn started_again_it_is_the_same_server() {
    let mut rig = Rig::new();
    rig.ok("enlist add group lamps > secret.txt");
    let token = std::fs::read(rig.data().join("admin.token")).unwrap();
    rig.kill();
    rig.start();
    assert_eq!(
        std::fs::read(rig.data().join("admin.token")).unwrap(),
        token
    );
    assert!(rig.ok("enlist get groups -o csv").contains("lamps"));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let rig = Rig::new();
    let ran = rig.sh("enlist serve --data ../data --listen 127.0.0.1:0");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.contains("another server"), "{ran:?}");
    let address = rig.url.trim_start_matches("https://");
    let ran = rig.sh(&format!("enlist serve --data ../other --listen {address}"));
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("--listen"), "{ran:?}");
}

#[test]
fn sigterm_ends_it_in_good_order() {
    let mut rig = Rig::new();
    let pid = rig.server().id();
    rig.ok(&format!("kill -TERM {pid}"));
    let status = rig.server().wait().unwrap();
    assert_eq!(status.code(), Some(0));
    rig.start();
    rig.ok("enlist get groups");
}

#[test]
fn settings_are_checked_without_starting_anything() {
    let shell = Shell::new();
    let ran = shell.sh("enlist serve --check --data there --listen 127.0.0.1:9443");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.err.contains("127.0.0.1:9443") && ran.err.contains("there"),
        "{ran:?}"
    );
    assert_eq!(shell.files(".").len(), 0, "nothing is made");

    shell.write("server.toml", "lisen = \"127.0.0.1:1\"\n");
    let ran = shell.sh("enlist serve --check --config server.toml");
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("server.toml") && ran.err.contains("lisen"),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("line 1, column 1: unknown field") && !ran.err.contains("\\n"),
        "{ran:?}"
    );

    shell.write(
        "server.toml",
        "listen = \"127.0.0.1:1\"\ndata = \"there\"\n",
    );
    let ran = shell.sh("ENLIST_LISTEN=127.0.0.1:2 enlist serve --check --config server.toml");
    assert!(
        ran.err.contains("127.0.0.1:2"),
        "the environment wins: {ran:?}"
    );
    let ran = shell.sh(
        "ENLIST_LISTEN=127.0.0.1:2 enlist serve --check --config server.toml --listen 127.0.0.1:3",
    );
    assert!(ran.err.contains("127.0.0.1:3"), "a flag wins: {ran:?}");
    let secret = "postgres://enlist:hunter2@db/enlist";
    let ran = shell.sh(&format!(
        "ENLIST_DATABASE_URL={secret} enlist serve --check"
    ));
    assert!(
        ran.err.contains("PostgreSQL") && !ran.err.contains("hunter2"),
        "{ran:?}"
    );

    for bad in [
        "--public-url http://x",
        "--database-url mysql://x",
        "--config missing.toml",
    ] {
        let ran = shell.sh(&format!("enlist serve --check {bad}"));
        assert_eq!(ran.status, 1, "{bad}: {ran:?}");
    }
    assert_eq!(shell.sh("enlist serve --check --listen nowhere").status, 2);
    shell.ok("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out crt.pem -subj /CN=x 2>/dev/null
              openssl genpkey -algorithm ed25519 -out other.pem");
    shell.ok("enlist serve --check --tls-certificate crt.pem --tls-key key.pem");
    assert_eq!(
        shell
            .sh("enlist serve --check --tls-certificate crt.pem --tls-key other.pem")
            .status,
        1
    );
}

#[test]
fn a_first_start_that_can_not_listen_makes_nothing() {
    let shell = Shell::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ran = shell.sh(&format!("enlist serve --data data --listen {address}"));
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("can't listen on"), "{ran:?}");
    assert_eq!(shell.files("."), [""; 0]);
}
