//! TLS to a real PostgreSQL: what each mode means, and what it takes.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::reach::{open, say, words};

/// Who gets in how: everybody with TLS, one by a certificate, one by a password.
const RULES: &str = "
local   all all                        trust
hostssl all certified 127.0.0.1/32     cert
hostssl all worded    127.0.0.1/32     scram-sha-256
hostssl all all       127.0.0.1/32     trust
";

/// The name in the server's certificate.
const NAME: &str = "db.example.test";

struct Files(TempDir);

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// To be read by PostgreSQL, which is not root.
    fn give(&self, path: &str) {
        if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
            let given = Command::new("chown").args(["postgres", path]).status();
            assert!(given.unwrap().success());
        }
    }
}

fn ca(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, as PEM.
fn issued(by: &CertifiedIssuer<'static, KeyPair>, name: &str, sans: &[&str]) -> (String, String) {
    let sans: Vec<String> = sans.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(sans).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that listens on the loopback address, too.
fn server(settings: &[String]) -> Option<(Postgres, u16)> {
    let port = free_port();
    let mut all = vec!["fsync=off"];
    all.extend(settings.iter().map(String::as_str));
    Some((Postgres::start_at(Some(port), &all)?, port))
}

struct Scene {
    url: String,
    port: u16,
    _server: Postgres,
}

impl Scene {
    /// The words with which a store says that it can't be opened; empty where it can.
    fn tried(&self, host: &str, query: &str) -> String {
        let user = if query.contains("user=") {
            ""
        } else {
            "&user=enlist"
        };
        let url = format!(
            "postgres://{host}:{}/tls?hostaddr=127.0.0.1&{query}{user}",
            self.port
        );
        match open(&url) {
            Ok(store) => {
                store.close();
                String::new()
            }
            Err(error) => words(&error),
        }
    }
}

fn scene(settings: &[String]) -> Option<Scene> {
    let (server, port) = server(settings)?;
    Some(Scene {
        url: server.database("tls"),
        port,
        _server: server,
    })
}

#[test]
fn each_mode_means_what_libpq_says() {
    let files = Files(TempDir::new().unwrap());
    open_to_all(files.0.path());
    let (ours, theirs) = (ca("ours"), ca("theirs"));
    let root = files.write("root.pem", &ours.pem(), 0o644);
    let wrong = files.write("wrong.pem", &theirs.pem(), 0o644);
    let (certificate, key) = issued(&ours, "server", &[NAME]);
    let certificate = files.write("server.pem", &certificate, 0o644);
    let key = files.write("server.key", &key, 0o600);
    let rules = files.write("hba.conf", RULES, 0o644);
    for path in [&certificate, &key, &rules] {
        files.give(path);
    }
    let (own, own_key) = issued(&ours, "certified", &[]);
    let own = files.write("own.pem", &own, 0o644);
    let own_key_open = files.write("open.key", &own_key, 0o644);
    let own_key = files.write("own.key", &own_key, 0o600);
    let Some(there) = scene(&[
        "ssl=on".to_owned(),
        format!("ssl_cert_file={certificate}"),
        format!("ssl_key_file={key}"),
        format!("ssl_ca_file={root}"),
        format!("hba_file={rules}"),
    ]) else {
        return;
    };
    say(
        &there.url,
        "CREATE ROLE certified SUPERUSER LOGIN; CREATE ROLE worded SUPERUSER LOGIN PASSWORD 'pass word'",
    );
    let verify = |mode: &str, root: &str| format!("sslmode={mode}&sslrootcert={root}");
    let good = "";
    for (host, query, expected) in [
        (NAME, verify("verify-full", &root), good),
        (
            "another.test",
            verify("verify-full", &root),
            "not valid for",
        ),
        ("another.test", verify("verify-ca", &root), good),
        (
            NAME,
            verify("verify-full", &wrong),
            "not trusted: see sslrootcert",
        ),
        (NAME, verify("verify-ca", &wrong), "UnknownIssuer"),
        // As libpq has it: what there is to verify with is used.
        (NAME, verify("require", &wrong), "UnknownIssuer"),
        ("another.test", verify("require", &root), good),
        ("another.test", "sslmode=require".to_owned(), good),
        ("another.test", "sslmode=prefer".to_owned(), good),
        (NAME, "sslmode=disable".to_owned(), "no pg_hba.conf entry"),
        // The server's certificate itself vouches for it as well as a CA does, and for no other name.
        (NAME, verify("verify-full", &certificate), good),
        (
            "another.test",
            verify("verify-full", &certificate),
            "not valid for",
        ),
        // A certificate of one's own.
        (
            NAME,
            format!(
                "{}&user=certified&sslcert={own}&sslkey={own_key}",
                verify("verify-full", &root)
            ),
            good,
        ),
        (
            NAME,
            format!("{}&user=certified", verify("verify-full", &root)),
            "certificate",
        ),
        (
            NAME,
            format!(
                "{}&sslcert={own}&sslkey={own_key_open}",
                verify("verify-full", &root)
            ),
            "others can read the key",
        ),
        // A password, bound to the connection.
        (
            NAME,
            format!(
                "{}&user=worded&password=pass%20word&channel_binding=require",
                verify("verify-full", &root)
            ),
            good,
        ),
        (
            NAME,
            format!(
                "{}&user=worded&password=wrong",
                verify("verify-full", &root)
            ),
            "refuses the password: see the user and the password in its URL: ",
        ),
        (
            NAME,
            format!("{}&user=worded", verify("verify-full", &root)),
            "its URL has none: write postgres://USER:PASSWORD@HOST/DATABASE",
        ),
    ] {
        let begun = Instant::now();
        let said = there.tried(host, &query);
        if expected.is_empty() {
            assert_eq!(said, "", "{host} {query}");
        } else {
            assert!(said.contains(expected), "{host} {query}: {said:?}");
            assert!(!said.contains("pass word"), "{said}");
            assert!(!said.contains("out of reach"), "{host} {query}: {said}");
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(3), "{host} {query}: {took:?}");
        }
    }
    // Where a server has TLS, it is used without being asked for.
    let port = there.port;
    let url = format!("postgres://127.0.0.1:{port}/tls?user=enlist");
    let store = open(&url).unwrap();
    let counted = say(
        &there.url,
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE ssl AND datname = 'tls' AND application_name = 'enlist'",
    );
    let counted = counted.iter().find_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
        _ => None,
    });
    assert_eq!(counted.as_deref(), Some("7"), "all writers and readers");
    store.close();
}

#[test]
fn a_server_without_tls_is_spoken_to_in_plain_only_where_that_will_do() {
    let Some(there) = scene(&[]) else {
        return;
    };
    for (query, expected) in [
        ("sslmode=disable", ""),
        ("sslmode=prefer", ""),
        ("", ""),
        ("sslmode=require", "the database has no TLS"),
    ] {
        let said = there.tried("localhost", query);
        if expected.is_empty() {
            assert_eq!(said, "", "{query}");
        } else {
            assert!(said.contains(expected), "{query}: {said:?}");
        }
    }
}

/// PostgreSQL is another user than the test, where that is root.
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
