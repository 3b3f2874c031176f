//! The tests on PostgreSQL: each server on a database of its own, all in one cluster of this run's.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, in_ci, output, run, runner_variable, succeeds};

/// Makes the cluster, and clears it away when its standard input ends.
const CLUSTER: &str = include_str!("../../crates/testkit/src/postgres.sh");

/// What tells tests where it is.
const SOCKET: &str = "ENLIST_TEST_POSTGRES";

/// Enough for a few tests at a time, each with several servers; and no test outlives a power cut.
const SETTINGS: [&str; 4] = [
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=256MB",
    "max_wal_size=8GB",
];

/// Runs tests so: those of the server and of the command line, or those that `args` choose for nextest.
///
/// # Errors
/// When one fails, or nextest or PostgreSQL is missing.
pub(crate) fn suite(args: &[String]) -> Result<()> {
    let Some(bin) = programs() else {
        if in_ci() {
            bail!("PostgreSQL's server is not installed (Debian's package postgresql)");
        }
        println!("skipped: PostgreSQL's server is not installed (Debian's package postgresql)");
        return Ok(());
    };
    // It has a process for each test, by which the databases are told apart.
    if !succeeds("cargo-nextest", &["nextest", "--version"]) {
        bail!("this takes cargo-nextest, which runs each test in a process of its own");
    }
    let cluster = Cluster::start(&bin)?;
    let this = std::env::current_exe().context("this program has no file")?;
    let runner = format!("{} with-database", this.display());
    let mut tests = cargo(["nextest", "run", "--locked", "--no-fail-fast"]);
    if args.is_empty() {
        tests.args(["--package", "enlist-server", "--package", "enlist"]);
    }
    run(tests
        .args(args)
        .env(runner_variable()?, runner)
        .env(SOCKET, &cluster.socket))
}

/// Runs a command, and drops the databases that it has made.
///
/// # Errors
/// When the command can't be run.
pub(crate) fn with_database(command: &[String]) -> Result<ExitCode> {
    let (program, args) = command.split_first().context("no command")?;
    let mut child = Command::new(program)
        .args(args)
        .spawn()
        .with_context(|| format!("can't run `{program}`"))?;
    let prefix = format!("test_{}_", child.id());
    let status = child.wait().context("the command got lost")?;
    // To name the tests takes no database.
    let runs = !args.iter().any(|arg| arg == "--list");
    if let (true, Some(bin), Ok(socket)) = (runs, programs(), std::env::var(SOCKET)) {
        drop_databases(&bin, &socket, &prefix)?;
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

fn drop_databases(bin: &Path, socket: &str, prefix: &str) -> Result<()> {
    let named = format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')");
    let found = output(
        Command::new(bin.join("psql"))
            .args(["-U", "enlist", "-h", socket, "-d", "postgres", "-Atqc"])
            .arg(named),
    )?;
    for name in String::from_utf8(found)?.lines() {
        output(
            Command::new(bin.join("dropdb")).args(["-U", "enlist", "-h", socket, "--force", name]),
        )?;
    }
    Ok(())
}

/// A cluster that ends with this.
struct Cluster {
    watch: Child,
    /// Its life: the shell clears up when this is closed, in whatever way.
    life: Option<ChildStdin>,
    socket: String,
}

impl Cluster {
    fn start(bin: &Path) -> Result<Self> {
        let mut watch = shell()?
            .args(["-c", CLUSTER, "postgres"])
            .arg(bin)
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start a shell")?;
        let mut socket = String::new();
        let words = watch.stdout.take().context("a shell without words")?;
        BufReader::new(words).read_line(&mut socket)?;
        if !socket.starts_with('/') {
            bail!("PostgreSQL does not start");
        }
        Ok(Self {
            life: watch.stdin.take(),
            watch,
            socket: socket.trim_end().to_owned(),
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.life.take());
        let _ = self.watch.wait();
    }
}

/// A shell that is not root's: PostgreSQL refuses to run as root.
fn shell() -> Result<Command> {
    let id = output(Command::new("id").arg("-u"))?;
    if id.trim_ascii() != b"0" {
        return Ok(Command::new("sh"));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "sh"]);
    Ok(command)
}

/// Where the server's programs of the newest version are.
fn programs() -> Option<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().ok()?;
    let found = versions.flatten().filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let bin = version.path().join("bin");
        bin.join("initdb").exists().then_some((number, bin))
    });
    found.max().map(|(_, bin)| bin)
}
