//! `enlist serve`: settings, start and end.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, Shell, mode};

#[test]
fn the_first_start_leaves_what_a_login_needs_and_nothing_for_others() {
    let rig = Rig::new();
    assert_eq!(mode(&rig.data()), 0o700);
    // On PostgreSQL the record is elsewhere.
    let database = rig.record().is_empty().then_some("enlist.db");
    for name in ["admin.token", "wrapping.key"].into_iter().chain(database) {
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
    // A database of their own may have several.
    if !rig.record().is_empty() {
        return;
    }
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
        "--public-url https://x/enlist",
        "--max-connections 0",
        "--database-url mysql://x",
        "--config missing.toml",
    ] {
        let ran = shell.sh(&format!("enlist serve --check {bad}"));
        assert_eq!(ran.status, 1, "{bad}: {ran:?}");
    }
    assert_eq!(shell.sh("enlist serve --check --listen nowhere").status, 2);
    let mistyped = "ENLIST_PUBLIC_ULR=https://x ENLIST_LOG=info ENLIST_PORT_8443_TCP=tcp://x:8443 \
                    enlist serve --check -o json";
    let told: serde_json::Value = serde_json::from_str(&shell.ok(mistyped)).unwrap();
    assert_eq!(told["unread_variables"], "ENLIST_PUBLIC_ULR", "{told:#}");
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

/// What each of several servers says that are started at the same moment, until one listens and the others have
/// given up; the name of the one that listens, which is told to end then.
fn started_at_once(shell: &Shell, url: &str, names: &[&str]) -> (String, Vec<(String, String)>) {
    let mut children: Vec<_> = names
        .iter()
        .map(|name| {
            let child = shell
                .command(rig::ENLIST)
                .args(["serve", "--listen", "127.0.0.1:0", "--data", name])
                .env("ENLIST_DATABASE_URL", url)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            ((*name).to_owned(), child)
        })
        .collect();
    rig::eventually("all but one have ended", || {
        let mut running = children.iter_mut().map(|(_, child)| child.try_wait());
        running
            .by_ref()
            .filter(|it| it.as_ref().unwrap().is_none())
            .count()
            <= 1
    });
    let mut won = Vec::new();
    let mut lost = Vec::new();
    for (name, mut child) in children {
        if child.try_wait().unwrap().is_none() {
            let root = shell.work().join(&name).join("root.pem");
            rig::eventually("it is set up", || root.exists());
            child.kill().unwrap();
            child.wait().unwrap();
            won.push(name);
        } else {
            let output = child.wait_with_output().unwrap();
            lost.push((name, String::from_utf8_lossy(&output.stderr).into_owned()));
        }
    }
    assert_eq!(won.len(), 1, "{lost:?}");
    (won.remove(0), lost)
}

#[test]
fn of_servers_that_set_one_database_up_at_once_one_does_and_the_others_keep_no_wrong_key() {
    let Some(postgres) = enlist_testkit::Postgres::start() else {
        return;
    };
    for round in 0..3 {
        let shell = Shell::new();
        let url = postgres.database(&format!("round{round}"));
        // What was there before stays, whatever comes of the start.
        shell.ok("mkdir -m 700 d && umask 077 && echo old >d/admin.token && echo 'a passphrase of mine' >d/wrapping.key");
        let (won, lost) = started_at_once(&shell, &url, &["a", "b", "c", "d"]);
        assert_eq!(shell.read("d/wrapping.key"), "a passphrase of mine\n");
        for (name, said) in &lost {
            // One that comes a moment later finds it set up.
            let mut words = [
                "give this one its wrapping key and start it again",
                "the database was set up with a wrapping key, and it can't be had",
                "this is not the wrapping key that the database was set up with",
            ]
            .iter();
            assert!(words.any(|words| said.contains(words)), "{said}");
            if name == "d" {
                assert_eq!(shell.read("d/admin.token"), "old\n");
            } else {
                assert_eq!(shell.files(name), [""; 0], "{said}");
            }
        }
        let next = lost.into_iter().find(|(name, _)| name != "d").unwrap().0;
        shell.ok(&format!("cp -p {won}/wrapping.key {next}/"));
        let (again, _) = started_at_once(&shell, &url, &[&next]);
        assert_eq!(again, next);
        assert_eq!(shell.files(&next), ["root.pem", "wrapping.key"]);
    }
}

#[test]
fn a_wrapping_key_that_was_named_and_is_not_there_is_asked_for_before_anything_is_made() {
    let shell = Shell::new();
    let named = "enlist serve --listen 127.0.0.1:0 --data data --wrapping-key there/wrapping.key";
    let ran = shell.sh(named);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("start the first server without naming one")
            && ran.err.contains("there/wrapping.key"),
        "{ran:?}"
    );
    assert_eq!(shell.files("data"), [""; 0]);
}

#[test]
fn what_does_not_fit_is_never_called_good() {
    let shell = Shell::new();
    let url = "postgres://u@db/enlist?sslmode=verify-full&sslrootcert=/no/such.pem";
    let ran = shell.sh(&format!("ENLIST_DATABASE_URL='{url}' enlist serve --check"));
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(!ran.err.contains("good"), "{ran:?}");
    assert!(
        ran.err
            .contains("a file that the database URL names can't be used")
            && ran.err.contains("/no/such.pem")
            && !ran.err.contains("expected something like"),
        "{ran:?}"
    );
    let ran = shell.sh("ENLIST_LOG=debgu enlist serve --check");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("`debgu` is no level"), "{ran:?}");
    shell.ok("ENLIST_LOG=enlist_server=debug,enlist_store::postgres=off,info enlist serve --check");
    let told = shell.json("enlist serve --check -o json --metrics-listen 0.0.0.0:9464");
    assert_eq!(told["listen"], "127.0.0.1:8443");
    assert_eq!(told["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn an_address_of_another_machine_is_told_from_one_that_is_taken() {
    let shell = Shell::new();
    // Documentation's own (RFC 5737).
    let ran = shell.sh("enlist serve --data data --listen 192.0.2.1:8443");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        ran.err.contains("this machine does not have this address")
            && !ran.err.contains("another server"),
        "{ran:?}"
    );
}

#[test]
fn who_asks_whether_it_stops_is_no_error_in_its_log() {
    if !rig::installed(&["curl"]) {
        return;
    }
    let mut rig = Rig::serving(&["--drain-delay", "3"]);
    let pid = rig.server().id();
    rig.ok(&format!("kill -TERM {pid}"));
    let ask = format!(
        "curl -sk -o /dev/null -w '%{{http_code}}' {}/readyz",
        rig.url
    );
    rig::eventually("it says that it stops", || rig.sh(&ask).out == "503");
    rig.server().wait().unwrap();
    assert!(rig.log().contains("stopping"), "{}", rig.log());
    assert!(!rig.log().contains("WARN"), "{}", rig.log());
}

#[test]
fn a_server_that_gets_few_connections_says_so_once() {
    let Some(lab) = enlist_testkit::PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("few", &[]);
    cluster.sql("postgres", "CREATE ROLE few LOGIN CONNECTION LIMIT 3");
    cluster.sql("postgres", "CREATE DATABASE few OWNER few");
    let url = cluster.url("few").replace("user=enlist", "user=few");
    let rig = Rig::serving(&["--database-url", &url]);
    // Each of those without one tries again and again meanwhile.
    std::thread::sleep(std::time::Duration::from_secs(3));
    cluster.sql("postgres", "ALTER ROLE few CONNECTION LIMIT 20");
    rig::eventually("it has them all", || {
        rig.log().contains("this server has all its connections")
    });
    let log = rig.log();
    assert_eq!(log.matches("fewer connections").count(), 1, "{log}");
    for untrue in ["out of reach", "can't be used", "is back"] {
        assert!(!log.contains(untrue), "{log}");
    }
}

#[test]
fn a_log_in_json_is_json_to_its_last_line() {
    let shell = Shell::new();
    let lines = |err: &str| -> Vec<serde_json::Value> {
        let parsed = err.lines().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        parsed.collect()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (bad, says) in [
        (format!("--listen {address}"), "can't listen on"),
        ("--config missing.toml".to_owned(), "missing.toml"),
    ] {
        let ran = shell.sh(&format!("enlist serve --log-format json --data data {bad}"));
        assert_eq!(ran.status, 1, "{ran:?}");
        let told = lines(&ran.err);
        let last = &told.last().unwrap()["fields"];
        assert_eq!(last["message"], "the server ends");
        assert!(last["error"].as_str().unwrap().contains(says), "{last}");
    }
    let mut rig = Rig::serving(&["--log-format", "json"]);
    let pid = rig.server().id();
    rig.ok(&format!("kill -TERM {pid}"));
    rig.server().wait().unwrap();
    let told = lines(&rig.log());
    let is_welcome = |line: &&serde_json::Value| line["fields"]["token_file"].is_string();
    let welcome = told.iter().find(is_welcome).unwrap();
    assert_eq!(welcome["fields"]["server"], rig.url.as_str());
}
