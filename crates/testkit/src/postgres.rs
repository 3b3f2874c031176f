//! A PostgreSQL of a test's own: started in a temporary directory, reachable through a socket
//! in it and not from the network, and gone with the process that started it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running PostgreSQL. It is stopped and removed when this is dropped, or when the process
/// ends in whatever way: a shell keeps watch over it, and sees its standard input closed.
#[derive(Debug)]
pub struct Postgres {
    watch: Child,
    bin: PathBuf,
    dir: PathBuf,
    /// Where it listens on the loopback address, if there.
    port: Option<u16>,
}

/// Makes the cluster, runs the server until standard input ends, and clears up.
const WATCH: &str = include_str!("postgres.sh");

impl Postgres {
    /// Starts one that does not care for durability, as most tests don't. `None`, with a note
    /// on standard error, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it does not start; or when it is not installed, and `CI=true` says that it must be.
    pub fn start() -> Option<Self> {
        Self::start_with(&["fsync=off"])
    }

    /// As [`Postgres::start`], with settings such as `fsync=on`.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        Self::start_at(None, settings)
    }

    /// As [`Postgres::start_with`]; with a port it listens there, on the loopback address, too.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn start_at(port: Option<u16>, settings: &[&str]) -> Option<Self> {
        let listens = port.map(|_| ["-c", "listen_addresses=127.0.0.1"]);
        let bin = programs()?;
        let mut watch = shell()
            .args(["-c", WATCH, "watch"])
            .arg(&bin)
            .args(listens.into_iter().flatten())
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            // All of its programs go by that.
            .envs(port.map(|port| ("PGPORT", port.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let mut line = String::new();
        let out = watch.stdout.take().expect("it was asked for");
        BufReader::new(out.take(4096))
            .read_line(&mut line)
            .expect("the shell's words can be read");
        assert!(line.starts_with('/'), "PostgreSQL does not start");
        Some(Self {
            watch,
            bin,
            dir: PathBuf::from(line.trim_end()),
            port,
        })
    }

    /// Makes an empty database, and returns its URL.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn database(&self, name: &str) -> String {
        let made = Command::new(self.bin.join("createdb"))
            .arg("--host")
            .arg(&self.dir)
            .args(["--username=enlist", "--", name])
            .envs(self.port.map(|port| ("PGPORT", port.to_string())))
            .status()
            .expect("createdb can be run");
        assert!(made.success(), "the database {name} can't be made");
        let host = self.dir.display();
        let port = self.port.map(|port| format!("&port={port}"));
        let port = port.unwrap_or_default();
        format!("postgres:///{name}?user=enlist&host={host}{port}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// Where the server's programs are. `None`, with a note on standard error, where they are not installed.
pub(crate) fn programs() -> Option<PathBuf> {
    let found = installed();
    if found.is_none() {
        let note = "PostgreSQL's server is not installed (no /usr/lib/postgresql/*/bin)";
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{note}, and CI=true asks for all tests"
        );
        eprintln!("skipped: {note}");
    }
    found
}

/// The newest version that is installed.
fn installed() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = Path::new("/usr/lib/postgresql")
        .read_dir()
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin)
}

/// A shell that is not root's: PostgreSQL refuses to run as root.
pub(crate) fn shell() -> Command {
    let id = Command::new("id").arg("-u").output();
    let root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    }
}
