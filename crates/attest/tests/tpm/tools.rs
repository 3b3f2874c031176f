//! swtpm with the certificates of a manufacturer, and the tools of tpm2-tools: what others say a TPM is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A TPM on two ports of the loopback interface. It ends with the test, however that ends.
pub struct Tools {
    directory: TempDir,
    port: u16,
    watch: Child,
}

/// Runs swtpm until standard input ends.
const WATCH: &str = r#"
trap '' INT TERM HUP
"$@" </dev/null &
tpm=$!
cat >/dev/null
kill -KILL $tpm
wait $tpm
"#;

const PATIENCE: Duration = Duration::from_secs(20);

impl Tools {
    /// `None` where one of the programs is missing, and nothing demands it.
    pub fn start() -> Option<Self> {
        let programs = ["swtpm", "swtpm_setup", "tpm2_activatecredential"];
        if let Some(missing) = programs.into_iter().find(|program| !is_there(program)) {
            let demanded = std::env::var("CI").as_deref() == Ok("true");
            assert!(!demanded, "{missing} is not installed, and CI=true");
            eprintln!("skipped: {missing} is not installed");
            return None;
        }
        let directory = tempfile::Builder::new()
            .prefix("enlist-tpm-")
            .tempdir()
            .unwrap();
        manufacture(directory.path());
        let port = two_ports();
        let watch = Command::new("sh")
            .args(["-c", WATCH, "watch", "swtpm", "socket", "--tpm2"])
            .args(["--flags", "not-need-init,startup-clear"])
            .args(["--server", &format!("type=tcp,port={port}")])
            .args(["--ctrl", &format!("type=tcp,port={}", port + 1)])
            .arg("--tpmstate")
            .arg(format!("dir={}", directory.path().join("state").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let tools = Self {
            directory,
            port,
            watch,
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "swtpm does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(tools)
    }

    /// Runs `tpm2_…`, its arguments split at blanks, and forgets what it left loaded.
    pub fn run(&self, arguments: &str) {
        self.tool(arguments);
        self.tool("flushcontext -t");
    }

    /// The same within a session, which goes on.
    pub fn tool(&self, arguments: &str) {
        let mut words = arguments.split_whitespace();
        let output = Command::new(format!("tpm2_{}", words.next().unwrap()))
            .args(words)
            .env(
                "TPM2TOOLS_TCTI",
                format!("swtpm:host=127.0.0.1,port={}", self.port),
            )
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "tpm2_{arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Sends it a command as it stands, and returns its response.
    pub fn raw(&self, command: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(command).unwrap();
        let mut response = vec![0; 4096];
        let length = stream.read(&mut response).unwrap();
        response.truncate(length);
        assert_eq!(response[6..10], [0; 4], "the TPM does it");
        response
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file of swtpm's own small manufacturer, as text.
    pub fn manufacturer(&self, name: &str) -> String {
        String::from_utf8(self.read(&format!("ca/{name}"))).unwrap()
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// Endorsement keys and their certificates, by swtpm's own small manufacturer.
fn manufacture(directory: &Path) {
    let at = |name: &str| directory.join(name).display().to_string();
    std::fs::create_dir(at("state")).unwrap();
    std::fs::create_dir(at("ca")).unwrap();
    let lines = [
        format!("statedir = {}", at("ca")),
        format!("signingkey = {}", at("ca/signkey.pem")),
        format!("issuercert = {}", at("ca/issuercert.pem")),
        format!("certserial = {}", at("ca/certserial")),
    ];
    std::fs::write(at("localca.conf"), lines.join("\n")).unwrap();
    std::fs::write(
        at("localca.options"),
        "--platform-manufacturer Enlist\n--platform-version 1\n--platform-model Test\n",
    )
    .unwrap();
    let lines = [
        "create_certs_tool = swtpm_localca".to_owned(),
        format!("create_certs_tool_config = {}", at("localca.conf")),
        format!("create_certs_tool_options = {}", at("localca.options")),
    ];
    std::fs::write(at("setup.conf"), lines.join("\n")).unwrap();
    let output = Command::new("swtpm_setup")
        .args(["--tpm2", "--create-ek-cert", "--tpm-state", &at("state")])
        .args(["--config", &at("setup.conf")])
        .args(["--write-ek-cert-files", &directory.display().to_string()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "swtpm_setup: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Two neighbours that were free a moment ago: the tools expect the second beside the first.
fn two_ports() -> u16 {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let next = port.checked_add(1);
        if next.is_some_and(|next| TcpListener::bind((Ipv4Addr::LOCALHOST, next)).is_ok()) {
            return port;
        }
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
