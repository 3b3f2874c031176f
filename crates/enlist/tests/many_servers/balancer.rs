//! The load balancers of the documentation.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use enlist_testkit::{Postgres, installed};

use crate::rig::{Shell, eventually, free_port, page};
use crate::site::{Server, Site};

/// From where nginx connects to the servers, so that the test itself can ask them without it.
const FROM: &str = "127.0.0.2";

/// nginx as `docs/scaling.md` has it, before two servers.
pub struct Balancer {
    process: Child,
    pub port: u16,
}

impl Balancer {
    pub fn start(shell: &Shell, port: u16, servers: [&Server<'_>; 2]) -> Self {
        let dir = shell.work().join("balancer");
        fs::create_dir_all(&dir).unwrap();
        let [one, two] = servers.map(|server| server.url.trim_start_matches("https://").to_owned());
        let documented = &page::blocks(&page::read("scaling.md"), "nginx")[0];
        let stream = [
            ("10.0.0.11:8443", one.as_str()),
            ("10.0.0.12:8443", two.as_str()),
            ("listen 8443;", &format!("listen 127.0.0.1:{port};")),
            (
                "proxy_pass enlist;",
                &format!("proxy_pass enlist; proxy_bind {FROM};"),
            ),
        ]
        .iter()
        .fold(documented.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let configuration = format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
             daemon off; pid balancer.pid; error_log error.log info; worker_processes 1;\n\
             events {{ worker_connections 1024; }}\n{stream}"
        );
        fs::write(dir.join("nginx.conf"), configuration).unwrap();
        let process = Command::new("nginx")
            .args(["-p", ".", "-e", "error.log", "-c", "nginx.conf"])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("nginx listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { process, port }
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Its workers would outlive it if it were killed.
        let id = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether all of it is installed; the database then.
pub fn database() -> Option<Postgres> {
    let module = std::path::Path::new("/usr/lib/nginx/modules/ngx_stream_module.so").exists();
    if !module {
        let note = "nginx's stream module is not installed (Debian's package libnginx-mod-stream)";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
        return None;
    }
    if !installed("nginx", "nginx") {
        return None;
    }
    Postgres::start()
}

/// Settings of the servers behind it, besides.
pub fn settings(drain_delay_s: &'static str) -> [(&'static str, &'static str); 2] {
    [
        ("ENLIST_TRUSTED_PROXIES", FROM),
        ("ENLIST_DRAIN_DELAY_S", drain_delay_s),
    ]
}

/// A group, and a secret of it that is good at the address of the test's own devices and at no other:
/// through the balancer, only the PROXY protocol says that this is theirs.
pub fn group(site: &Site, server: &Server<'_>, name: &str) -> String {
    let secret = site.ok(
        server,
        &format!(
            "enlist add group {name} --enrollment open >/dev/null
             enlist add secret -g {name} --network 127.0.0.1"
        ),
    );
    secret.trim().to_owned()
}

/// A port for it.
pub fn port() -> u16 {
    free_port()
}

#[test]
fn haproxy_takes_the_documented_configuration() {
    if !installed("haproxy", "haproxy") {
        return;
    }
    let shell = Shell::new();
    let documented = &page::blocks(&page::read("scaling.md"), "haproxy")[0];
    // Any certificate will do to be read.
    shell.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
         -subj /CN=root -keyout root.key -out root.pem 2>/dev/null",
    );
    let root = shell.work().join("root.pem");
    let configuration =
        documented.replace("/etc/haproxy/enlist-root.pem", &root.display().to_string());
    assert_ne!(&configuration, documented);
    shell.write("haproxy.cfg", &configuration);
    let ran = shell.sh("PATH=\"$PATH:/usr/sbin\" haproxy -c -f haproxy.cfg");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.err.contains("WARNING"), "{ran:?}");
}
