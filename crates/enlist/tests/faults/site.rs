//! Real servers on one database, each in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_core::SystemClock;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_pki::Anchors;
use enlist_wire::Client;

use crate::rig::{ENLIST, Ran, Shell};

/// The server that makes the installation has this name.
const FIRST: &str = "one";
/// Its wrapping key, which the others are given.
const WRAPPING_KEY: &str = "one/wrapping.key";
/// A server that does not answer within this time does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// An installation.
pub struct Site {
    pub shell: Shell,
    /// A server that does not answer a device within this time does not answer.
    pub patience: Duration,
    database: Option<String>,
}

/// One of its servers.
pub struct Server<'a> {
    site: &'a Site,
    name: String,
    environment: Vec<(String, String)>,
    /// A script that gets things ready, in a mount namespace of the server's own.
    ready: Option<String>,
    child: Option<Child>,
    pub url: String,
}

impl Site {
    /// On this database, or each server on a SQLite of its own.
    pub fn new(database: Option<&str>) -> Self {
        Self {
            shell: Shell::new(),
            patience: PATIENCE,
            database: database.map(str::to_owned),
        }
    }

    /// A running server; the first one has to be called `one`.
    pub fn server(&self, name: &str) -> Server<'_> {
        self.server_with(name, &[])
    }

    pub fn server_with(&self, name: &str, environment: &[(&str, &str)]) -> Server<'_> {
        let mut server = self.absent(name);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        server.environment = environment.iter().map(own).collect();
        server.start();
        server
    }

    /// A running server for which a script has got things ready first: mounts that only it sees.
    pub fn server_after(&self, name: &str, ready: &str) -> Server<'_> {
        let mut server = self.absent(name);
        server.ready = Some(ready.to_owned());
        server.start();
        server
    }

    /// A server that has not been started yet.
    pub fn absent(&self, name: &str) -> Server<'_> {
        Server {
            site: self,
            name: name.to_owned(),
            environment: Vec::new(),
            ready: None,
            child: None,
            url: String::new(),
        }
    }

    /// The administrator, at this server.
    pub fn admin(&self, server: &Server<'_>) -> Client {
        let token = self.shell.read(&format!("{FIRST}.token"));
        let client = self.client(&server.url, None, Duration::from_secs(20));
        client.with_token(token.trim().to_owned().into())
    }

    /// The devices' ways in.
    pub fn device_client(&self, url: &str, identity: Option<Identity>) -> Client {
        self.client(url, identity, self.patience)
    }

    /// The root that everybody trusts, once the first server has made it.
    fn root(&self) -> PathBuf {
        self.shell.work().join(format!("{FIRST}.root.pem"))
    }

    fn client(&self, url: &str, identity: Option<Identity>, patience: Duration) -> Client {
        let root = fs::read_to_string(self.root()).unwrap();
        let trust = ServerTrust {
            anchors: Anchors::from_pem(&root).unwrap(),
            service_anchors: Anchors::default(),
        };
        let tls = client_config(trust, identity, Arc::new(SystemClock)).unwrap();
        Client::new(url, Arc::new(tls), patience).unwrap()
    }

    /// Runs a script as the administrator at this server, which has to succeed.
    #[track_caller]
    pub fn ok(&self, server: &Server<'_>, script: &str) -> String {
        let url = &server.url;
        self.shell.ok(&format!(
            "export ENLIST_SERVER={url} ENLIST_CA=$PWD/{FIRST}.root.pem ENLIST_TOKEN=$(cat {FIRST}.token)
             {script}"
        ))
    }
}

impl Server<'_> {
    /// Starts it, on the port that it had before if it had one.
    pub fn start(&mut self) {
        let mut child = self.try_to_start();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        self.child = Some(child);
        assert!(line.starts_with("https://"), "{line}: {}", self.log());
        line.trim().clone_into(&mut self.url);
        if self.name == FIRST && !self.site.root().exists() {
            self.keep_what_admins_need();
        }
    }

    fn try_to_start(&self) -> Child {
        let listen = match self.url.rsplit_once(':') {
            Some((_, port)) => format!("127.0.0.1:{port}"),
            None => "127.0.0.1:0".to_owned(),
        };
        let mut log = fs::OpenOptions::new();
        let log = log.append(true).create(true).open(self.log_path()).unwrap();
        let mut command = self.program();
        command
            .args(["serve", "--listen", &listen, "--data", &self.name])
            .envs(self.environment.iter().cloned());
        if self.name != FIRST {
            command.args(["--wrapping-key", WRAPPING_KEY]);
        }
        if let Some(url) = &self.site.database {
            // The name is for the database to tell the servers apart.
            let url = format!("{url}&application_name={}", self.name);
            command.env("ENLIST_DATABASE_URL", url);
        }
        command.stdout(Stdio::piped()).stderr(log).spawn().unwrap()
    }

    fn program(&self) -> Command {
        let Some(ready) = &self.ready else {
            return self.site.shell.command(ENLIST);
        };
        let mut command = self.site.shell.command("unshare");
        let script = format!("{ready} && exec \"$0\" \"$@\"");
        command.args(["--mount", "sh", "-c", &script, ENLIST]);
        command
    }

    /// Where it may be that only the server sees its data directory. Once: others read it while the server
    /// is killed and started.
    fn keep_what_admins_need(&self) {
        let data = format!("/proc/{}/cwd/{FIRST}", self.pid());
        for (from, to) in [("admin.token", "token"), ("root.pem", "root.pem")] {
            let text = fs::read_to_string(format!("{data}/{from}")).unwrap();
            self.site.shell.write(&format!("{FIRST}.{to}"), &text);
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Whether it is still the process that was started.
    pub fn is_up(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Pauses it: it does nothing, and does not know.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid();
        self.site.shell.ok(&format!("kill -{signal} {pid}"));
    }

    /// Waits until it has ended by itself; with which status.
    #[allow(dead_code, reason = "those that are killed do not end by themselves")]
    pub fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        child.wait().unwrap().code()
    }

    /// Runs a script with the server's view of its disk.
    pub fn inside(&self, script: &str) -> Ran {
        let (pid, work) = (self.pid(), self.site.shell.work());
        let work = work.display();
        self.site.shell.sh(&format!(
            "nsenter --target {pid} --mount sh -c 'cd {work} && {script}'"
        ))
    }

    /// What `/readyz` says: the status, 0 where there was no answer in time.
    pub fn readiness(&self) -> u16 {
        let url = &self.url;
        let asked = self.site.shell.sh(&format!(
            "curl -sk -m 5 -o /dev/null -w '%{{http_code}}' {url}/readyz"
        ));
        asked.out.trim().parse().unwrap_or_default()
    }

    /// Waits until it says that it is ready.
    #[track_caller]
    pub fn becomes_ready(&self) {
        let begun = Instant::now();
        while self.readiness() != 200 {
            let waited = begun.elapsed();
            assert!(
                waited < Duration::from_secs(20),
                "never ready: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        let name = format!("{}.log", self.name);
        self.site.shell.work().join(name)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the log of server {}:\n{}", self.name, self.log());
        }
    }
}
