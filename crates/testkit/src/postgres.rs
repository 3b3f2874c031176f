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
}

/// Makes the cluster, runs the server until standard input ends, and clears up.
const WATCH: &str = r#"
trap '' INT TERM HUP
bin=$1; shift
dir=$(mktemp -d -t enlist-postgres-XXXXXX) || exit 1
cd "$dir" || exit 1
tidy() { rm -rf "$dir"; }
"$bin/initdb" -D data -U enlist --auth=trust --no-sync -E UTF8 --locale=C >log 2>&1 || { cat log >&2; tidy; exit 1; }
"$bin/postgres" -D data -k "$dir" -c listen_addresses= -c max_connections=300 "$@" >log 2>&1 </dev/null &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do
    kill -0 $server 2>/dev/null || { cat log >&2; tidy; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null
kill -INT $server
wait $server
tidy
"#;

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
        let Some(bin) = installed() else {
            let note = "PostgreSQL's server is not installed (no /usr/lib/postgresql/*/bin)";
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{note}, and CI=true asks for all tests"
            );
            eprintln!("skipped: {note}");
            return None;
        };
        let mut watch = shell()
            .args(["-c", WATCH, "watch"])
            .arg(&bin)
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
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
            .status()
            .expect("createdb can be run");
        assert!(made.success(), "the database {name} can't be made");
        let host = self.dir.display();
        format!("postgres:///{name}?user=enlist&host={host}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
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
fn shell() -> Command {
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
