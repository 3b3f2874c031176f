//! A real server in a process of its own, and a shell in front of it as a user has one.

#![allow(dead_code, reason = "each test uses a part of it")]

pub mod applicants;
pub mod consumers;
pub mod cut;
pub mod device;
pub mod kill;
pub mod page;
pub mod rogue;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub const ENLIST: &str = env!("CARGO_BIN_EXE_enlist");

/// A directory with a home of its own, in which `enlist`, `iotactl` and `trh` are on the path.
pub struct Shell {
    dir: tempfile::TempDir,
}

/// A shell whose user is logged in at a server of their own.
pub struct Rig {
    shell: Shell,
    server: Option<Child>,
    flags: Vec<String>,
    environment: Vec<(&'static str, String)>,
    pub url: String,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["bin", "home", "work"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        for name in ["enlist", "iotactl", "trh", "enlist-agent"] {
            symlink(ENLIST, dir.path().join("bin").join(name)).unwrap();
        }
        Self { dir }
    }

    /// The directory that commands run in.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A command with the user's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let bin = self.dir.path().join("bin");
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", self.home())
            .current_dir(self.work())
            .stdin(Stdio::null());
        // What is set for the tests themselves, or by who runs them, is not the user's. But in
        // which token the keys of CAs are kept holds for all.
        let of_tests = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| name.starts_with("ENLIST_") && name != "ENLIST_CA_KEY_STORE");
        for name in of_tests {
            command.env_remove(name);
        }
        for name in ["XDG_CONFIG_HOME", "CARGO", "CARGO_MANIFEST_DIR"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a POSIX shell script.
    pub fn sh(&self, script: &str) -> Ran {
        Ran::of(&self.command("sh").args(["-c", script]).output().unwrap())
    }

    /// Runs a script that has to succeed, and returns its standard output.
    #[track_caller]
    pub fn ok(&self, script: &str) -> String {
        let ran = self.sh(script);
        assert_eq!(ran.status, 0, "{script}: {ran:?}");
        ran.out
    }

    /// Runs a script that has to fail with this status and this problem.
    #[track_caller]
    pub fn refused(&self, script: &str, status: i32, slug: &str) -> String {
        let ran = self.sh(script);
        assert_eq!(ran.status, status, "{script}: {ran:?}");
        let problem = format!("problem: {slug}");
        assert!(ran.err.contains(&problem), "{script}: {ran:?}");
        assert_eq!(ran.out, "", "a refusal puts nothing on standard output");
        ran.err
    }

    #[track_caller]
    pub fn json(&self, script: &str) -> serde_json::Value {
        let out = self.ok(script);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{script}: {error}: {out}"))
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.work().join(name), text).unwrap();
    }

    /// Turns the clock of a server that has one of its own.
    pub fn turn(&self, ahead: &str) {
        // It is read at each look at the clock, so it must never be seen half-written.
        self.write("clock.new", ahead);
        fs::rename(self.work().join("clock.new"), self.work().join("clock")).unwrap();
    }

    pub fn files(&self, dir: &str) -> Vec<String> {
        let entries = fs::read_dir(self.work().join(dir)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

impl Rig {
    pub fn new() -> Self {
        Self::serving(&[])
    }

    /// With further flags for the server.
    pub fn serving(flags: &[&str]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::set_up(Shell::new(), flags, Vec::new())
    }

    /// With further flags for the server, and with variables in its environment.
    pub fn serving_with(flags: &[&str], environment: &[(&'static str, &str)]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        Self::set_up(Shell::new(), flags, environment.iter().map(owned).collect())
    }

    /// With a clock for the server, which is ahead of the real one by what the file `clock` of the working
    /// directory says, such as `+25h`; nothing where there is no faketime.
    pub fn with_clock() -> Option<Self> {
        if !enlist_testkit::fakes_time() {
            return None;
        }
        let shell = Shell::new();
        let clock = shell.work().join("clock").display().to_string();
        let mut environment = enlist_testkit::FAKE_TIME
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec();
        environment.push(("FAKETIME_TIMESTAMP_FILE", clock));
        environment.push(("FAKETIME_NO_CACHE", "1".to_owned()));
        shell.turn("+0d");
        Some(Self::set_up(shell, Vec::new(), environment))
    }

    fn set_up(
        shell: Shell,
        flags: Vec<String>,
        mut environment: Vec<(&'static str, String)>,
    ) -> Self {
        // Told on the other engine, where that is asked for.
        if let Some(url) = enlist_testkit::own_database() {
            environment.push(("ENLIST_DATABASE_URL", url));
        }
        let mut rig = Self {
            shell,
            server: None,
            flags,
            environment,
            url: String::new(),
        };
        rig.start();
        rig.ok(&format!(
            "enlist login --server {} --ca ../data/root.pem --token-file ../data/admin.token",
            rig.url
        ));
        rig
    }

    /// Starts the server over the data that is there, on the port it had before if it had one.
    pub fn start(&mut self) {
        let data = self.shell.dir.path().join("data");
        let listen = match self.url.rsplit_once(':') {
            Some((_, port)) => format!("127.0.0.1:{port}"),
            None => "127.0.0.1:0".to_owned(),
        };
        let log = fs::File::create(self.shell.dir.path().join("server.log")).unwrap();
        let mut server = self
            .shell
            .command(ENLIST)
            .args(["serve", "--listen", &listen, "--data"])
            .arg(data)
            .args(&self.flags)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("https://"), "{line}: {}", self.log());
        line.trim().clone_into(&mut self.url);
        self.server = Some(server);
    }

    /// From its next start on, the server has this variable; `None` takes it away.
    pub fn set_environment(&mut self, name: &'static str, value: Option<String>) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.extend(value.map(|value| (name, value)));
    }

    /// Kills the server, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    pub fn data(&self) -> PathBuf {
        self.shell.dir.path().join("data")
    }

    /// What stands before a command that is to work on this server's record; nothing where that is in the
    /// data directory.
    pub fn record(&self) -> String {
        let is_url = |(name, _): &&(&str, String)| *name == "ENLIST_DATABASE_URL";
        let named = self.environment.iter().find(is_url);
        named.map_or_else(String::new, |(name, url)| format!("{name}='{url}'"))
    }

    pub fn server(&mut self) -> &mut Child {
        self.server.as_mut().unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.shell.dir.path().join("server.log")).unwrap_or_default()
    }
}

impl std::ops::Deref for Rig {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.shell
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
        enlist_testkit::produced_below(self.shell.dir.path());
        if std::thread::panicking() {
            eprintln!("--- the server's log:\n{}", self.log());
        }
    }
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether programs that a test needs are installed. With `CI=true` they have to be.
pub fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs
        .iter()
        .filter(|program| {
            let there = "PATH=\"$PATH:/usr/sbin:/sbin\"; command -v \"$0\" >/dev/null";
            !Command::new("sh")
                .args(["-c", there, program])
                .status()
                .unwrap()
                .success()
        })
        .collect();
    if !missing.is_empty() {
        let note = format!("not installed: {missing:?}");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
    }
    missing.is_empty()
}

/// Waits until something is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The permissions of a file.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Writes to a process' standard input without closing it.
pub fn feed(child: &mut Child, text: &str) {
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    stdin.flush().unwrap();
}

/// All that is left of a stream.
pub fn rest(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The processes that this one has started and that are still at work.
pub fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<u32>().ok()
    });
    pids.filter(|pid| stat(*pid).is_some_and(|(state, from)| from == parent && state != "Z"))
        .collect()
}

/// Whether a process is at work, and not merely waited for.
pub fn is_at_work(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.to_owned();
    Some((state, fields.next()?.parse().ok()?))
}
