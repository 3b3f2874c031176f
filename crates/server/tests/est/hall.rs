//! A server and a directory beside it, in which scripts run.

use std::path::{Path, PathBuf};
use std::process::Command;

use enlist_testkit::{Rig, produced_below};
use enlist_wire::{Enrollment, NewGroup};

/// What the scripts have at hand.
const TOOLS: &str = r#"
set -eu
# key FILE: a key on P-256
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
# csr KEY SUBJECT [OPTIONS]: a request in base64, on one line
csr() { k=$1; s=$2; shift 2; openssl req -new -key "$k" -subj "$s" -outform DER "$@" | base64 -w0; }
# est OPERATION [OPTIONS]: sends standard input; the body to `body`, the head to `head`, the status out
est() { op=$1; shift; curl -sS --cacert root.pem -H 'Content-Type: application/pkcs10' --data-binary @- \
  -o body -D head -w '%{http_code}' "$@" "$EST/$op"; }
# certificates < BASE64 > PEM
certificates() { base64 -d | openssl pkcs7 -inform DER -print_certs | sed -n '/-BEGIN/,/-END/p'; }
"#;

pub struct Hall {
    pub rig: Rig,
    dir: tempfile::TempDir,
}

impl Hall {
    pub fn new() -> Self {
        let rig = Rig::new();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("root.pem"), rig.ops.root().to_pem()).unwrap();
        Self { rig, dir }
    }

    /// With an open group `pumps`, whose secret is `$SECRET` from now on.
    pub fn with_pumps() -> Self {
        let hall = Self::new();
        hall.group("pumps", Enrollment::Open);
        hall
    }

    /// Adds a group of tenant `default`; its secret is `$SECRET` from now on.
    pub fn group(&self, name: &str, enrollment: Enrollment) {
        self.keep(&self.rig.group(name, enrollment));
    }

    /// Adds a group with rules of its own.
    pub fn group_with(&self, group: &NewGroup) {
        self.keep(&self.rig.group_with(group));
    }

    /// What is `$SECRET` from now on.
    pub fn keep(&self, secret: &str) {
        std::fs::write(self.path("secret"), secret).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a script, and returns what it says on standard output and whether it went well.
    pub fn run(&self, script: &str) -> (bool, String) {
        let port = self.rig.address().port();
        let ran = Command::new("bash")
            .arg("-c")
            .arg(format!("{TOOLS}\n{script}"))
            .current_dir(self.dir.path())
            .env("EST", format!("https://localhost:{port}/.well-known/est"))
            .env("HOST", format!("localhost:{port}"))
            .env(
                "SECRET",
                std::fs::read_to_string(self.path("secret")).unwrap_or_default(),
            )
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
        let err = String::from_utf8_lossy(&ran.stderr);
        (
            ran.status.success(),
            format!(
                "{out}{}",
                if ran.status.success() { "".into() } else { err }
            ),
        )
    }

    /// Runs a script that has to go well, and returns what it says.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let (well, out) = self.run(script);
        assert!(well, "{script}: {out}");
        out
    }

    /// Runs a script that says nothing but a status, and returns that and the body.
    #[track_caller]
    pub fn answer(&self, script: &str) -> (u16, String) {
        let status = self.sh(script);
        let status = status
            .parse()
            .unwrap_or_else(|_| panic!("{script}: {status}"));
        (status, self.read("body"))
    }

    /// Runs a script that asks for what is refused, and returns status and slug.
    #[track_caller]
    pub fn refusal(&self, script: &str) -> (u16, String) {
        let (status, body) = self.answer(script);
        let head = self.read("head").to_lowercase();
        assert!(head.contains("content-type: text/plain"), "{head}");
        assert!(status >= 400, "{status}: {body}");
        let slug = body.rsplit_once(" (").map(|(_, slug)| slug.trim_end());
        (
            status,
            slug.unwrap_or(&body).trim_end_matches(')').to_owned(),
        )
    }

    pub fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How the certificates of a device of `pumps` stand, in alphabetical order.
    pub fn certificates_of(&self, device: &str) -> String {
        let query = enlist_wire::CertificatesQuery {
            group: Some("pumps".to_owned()),
            device: Some(device.to_owned()),
            ..Default::default()
        };
        let page = self.rig.admin().certificates("default", &query).unwrap();
        let stand = |one: &enlist_wire::Certificate| format!("{:?}", one.status).to_lowercase();
        let mut standing: Vec<_> = page.items.iter().map(stand).collect();
        standing.sort();
        standing.join(" ")
    }

    /// Enrolls a device of `pumps`: `NAME.key` and `NAME.crt` are there then.
    pub fn enroll(&self, name: &str) {
        self.sh(&format!(
            "key {name}.key
             test $(csr {name}.key /CN={name} | est pumps/simpleenroll -u {name}:$SECRET) = 200
             certificates < body > {name}.crt"
        ));
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            produced_below(Path::new(self.dir.path()));
        }
    }
}
