//! Clusters of PostgreSQL that come to harm: killed, started again, replaced by their standby, out of room.
//!
//! As with [`crate::Postgres`], they are reached through sockets in a temporary directory, and are gone
//! with the process that made them, in whatever way it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::postgres::{programs, shell};

/// How long a server may take to come up: after a crash it has to go through its log first.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory for clusters.
#[derive(Debug, Clone)]
pub struct PostgresLab(Arc<Lab>);

/// A cluster in it, with its server running or not.
#[derive(Debug, Clone)]
pub struct Cluster {
    lab: PostgresLab,
    /// Where it lies.
    home: PathBuf,
    /// Where its socket is, which everybody sees.
    socket: PathBuf,
}

#[derive(Debug)]
struct Lab {
    watch: Child,
    bin: PathBuf,
    dir: PathBuf,
    /// Whether it has a file system of its own, which only its processes see.
    walled: bool,
}

/// Waits until standard input ends, then clears up.
const WATCH: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for file in "$0"/*/data/postmaster.pid "$0"/small/*/data/postmaster.pid; do
    [ -e "$file" ] && kill -QUIT "$(head -n 1 "$file")" 2>/dev/null
done
sleep 0.2
rm -rf "$0" 2>/dev/null
"#;

impl PostgresLab {
    /// One with all the room there is. `None`, with a note on standard error, where PostgreSQL is not
    /// installed.
    ///
    /// # Panics
    /// When it is not installed, and `CI=true` says that it must be.
    pub fn start() -> Option<Self> {
        let bin = programs()?;
        let dir = directory();
        let watch = shell().args(["-c", WATCH]).arg(&dir).watching();
        Some(Self::with(bin, dir, watch, false))
    }

    /// One with a file system of so many MiB, at `small` in it, that only its processes see. `None` where
    /// nothing can be mounted, too.
    ///
    /// # Panics
    /// As [`PostgresLab::start`].
    pub fn with_small_disk(mebibytes: u32) -> Option<Self> {
        let bin = programs()?;
        let dir = directory();
        let mount = format!(
            "mount -t tmpfs -o size={mebibytes}m,mode=0700,uid=$(id -u postgres) enlist \"$1\"/small"
        );
        let tried = Command::new("unshare")
            .args(["--mount", "sh", "-c", &mount, "sh"])
            .arg(&dir)
            .status();
        if !tried.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no file system can be mounted here");
            let _ = shell().args(["-c", "rm -rf \"$0\""]).arg(&dir).status();
            return None;
        }
        let script = format!("{mount} && exec runuser -u postgres -- sh -c \"$0\" \"$1\"");
        let watch = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, WATCH])
            .arg(&dir)
            .watching();
        let lab = Self::with(bin, dir, watch, true);
        let mark = "grep -q \"$0/small \" /proc/self/mounts";
        let begun = Instant::now();
        while !lab
            .try_to(mark, &[&lab.0.dir.display().to_string()])
            .status
            .success()
        {
            assert!(begun.elapsed() < PATIENCE, "the small disk is not there");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(lab)
    }

    fn with(bin: PathBuf, dir: PathBuf, watch: Child, walled: bool) -> Self {
        Self(Arc::new(Lab {
            watch,
            bin,
            dir,
            walled,
        }))
    }

    /// The directory that is small, where there is one, as the lab's processes see it.
    pub fn small(&self) -> PathBuf {
        self.0.dir.join("small")
    }

    /// A new cluster called `name`, up, with settings such as `fsync=on`. A name of `small/…` puts all of
    /// it on the small disk.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn cluster(&self, name: &str, settings: &[&str]) -> Cluster {
        let cluster = self.place(name);
        cluster.ok(
            "initdb -D data -U enlist --auth=trust --no-sync -E UTF8 --locale=C --wal-segsize=1 >log 2>&1
             printf '%s\\n' \"unix_socket_directories = '$SOCKET'\" \"listen_addresses = ''\" \"$@\" >>data/postgresql.conf",
            settings,
        );
        cluster.start();
        cluster
    }

    fn place(&self, name: &str) -> Cluster {
        let socket = format!("socket-{}", name.replace('/', "-"));
        Cluster {
            lab: self.clone(),
            home: self.0.dir.join(name),
            socket: self.0.dir.join(socket),
        }
    }

    /// Runs a script as the user that owns the clusters, with PostgreSQL's programs at hand.
    ///
    /// # Panics
    /// When it does not succeed.
    pub fn run(&self, script: &str, arguments: &[&str]) -> String {
        let output = self.try_to(script, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}: {output:?}");
        said
    }

    fn try_to(&self, script: &str, arguments: &[&str]) -> Output {
        let mut command = if self.0.walled {
            let mut command = Command::new("nsenter");
            command
                .args(["--target", &self.0.watch.id().to_string(), "--mount"])
                .args(["runuser", "-u", "postgres", "--", "sh"]);
            command
        } else {
            shell()
        };
        let path = format!("export PATH='{}':\"$PATH\"; {script}", self.0.bin.display());
        command
            .args(["-c", &path])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("a shell can be started")
    }
}

impl Cluster {
    /// Where its socket is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes an empty database, and returns its URL.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// The URL of a database in it.
    pub fn url(&self, name: &str) -> String {
        format!(
            "postgres:///{name}?user=enlist&host={}",
            self.socket.display()
        )
    }

    /// The URL of a database that is to be found in whichever of two clusters takes writes.
    pub fn url_with(&self, other: &Self, name: &str) -> String {
        let other = other.socket.display();
        format!("{},{other}&target_session_attrs=read-write", self.url(name))
    }

    /// What a statement says, rows as lines.
    ///
    /// # Panics
    /// When it is refused.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let script = "exec psql -X -q -h $SOCKET -U enlist -v ON_ERROR_STOP=1 -Atc \"$1\" \"$2\"";
        self.ok(script, &[statement, database])
    }

    /// Kills the server as a power cut would: all its processes, by SIGKILL.
    ///
    /// # Panics
    /// When it is not up.
    pub fn kill(&self) {
        // Whoever is there at the one moment may have started another at the next.
        self.ok(
            "first=$(head -n 1 data/postmaster.pid)
             kill -STOP $first
             all=\"$first $(pgrep -P $first)\"
             kill -KILL $all
             for pid in $all; do
                 while grep -q '^State:.[^Z]' /proc/$pid/status 2>/dev/null; do sleep 0.01; done
             done
             rm -f data/postmaster.pid $SOCKET/.s.PGSQL.*.lock",
            &[],
        );
    }

    /// Stops the server without letting it finish anything (`pg_ctl -m immediate`).
    ///
    /// # Panics
    /// When it is not up.
    pub fn stop_at_once(&self) {
        self.ok("pg_ctl -D data -m immediate -s stop", &[]);
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(&self) {
        let begun = Instant::now();
        loop {
            let output = self.script(
                "pg_ctl -D data -l log -s -t 20 -w start >/dev/null 2>&1",
                &[],
            );
            if output.status.success() {
                return;
            }
            // Memory that it shared with those that were killed may be in use for a moment.
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A standby called `name`, up, without which nothing is committed from now on.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn standby(&self, name: &str) -> Self {
        let standby = self.lab.place(name);
        standby.ok(
            "pg_basebackup -h \"$1\" -U enlist -D data -R -c fast -X stream --no-sync
             printf '%s\\n' \"unix_socket_directories = '$SOCKET'\" >>data/postgresql.conf",
            &[&self.socket.display().to_string()],
        );
        standby.start();
        self.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
        );
        self.sql("postgres", "SELECT pg_reload_conf()");
        let is_in_step = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let begun = Instant::now();
        while self.sql("postgres", is_in_step).trim() != "1" {
            assert!(begun.elapsed() < PATIENCE, "the standby: {}", standby.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        standby
    }

    /// Makes the primary of a standby. It goes on alone.
    ///
    /// # Panics
    /// When it can't.
    pub fn promote(&self) {
        self.ok("pg_ctl -D data -s -w promote >/dev/null", &[]);
    }

    /// Whether the server is up.
    pub fn is_up(&self) -> bool {
        self.script("pg_isready -q -h $SOCKET", &[])
            .status
            .success()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        let output = self.script("tail -n 50 log", &[]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a script in its directory, as [`PostgresLab::run`].
    ///
    /// # Panics
    /// When it does not succeed.
    pub fn ok(&self, script: &str, arguments: &[&str]) -> String {
        let output = self.script(script, arguments);
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn script(&self, script: &str, arguments: &[&str]) -> Output {
        let home = self.home.display().to_string();
        let socket = self.socket.display();
        let script =
            format!("SOCKET={socket}; mkdir -p \"$0\" $SOCKET; cd \"$0\" || exit 1; {script}");
        let all: Vec<_> = std::iter::once(home.as_str())
            .chain(arguments.iter().copied())
            .collect();
        self.lab.try_to(&script, &all)
    }
}

trait Watching {
    /// Starts it, to live until its standard input ends.
    fn watching(&mut self) -> Child;
}

impl Watching for Command {
    fn watching(&mut self) -> Child {
        let watch = self.stdin(Stdio::piped()).stdout(Stdio::null());
        watch.spawn().expect("a shell can be started")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
        // The place where the small disk was.
        let _ = shell()
            .args(["-c", "rm -rf \"$0\""])
            .arg(&self.dir)
            .status();
    }
}

/// A directory that belongs to the clusters' owner, with a place for the small disk.
fn directory() -> PathBuf {
    let script =
        "dir=$(mktemp -d -t enlist-postgres-XXXXXX) && mkdir \"$dir\"/small && echo \"$dir\"";
    let made = shell().args(["-c", script]).output();
    let made = made.expect("a shell can be started");
    let path = String::from_utf8_lossy(&made.stdout);
    assert!(path.starts_with('/'), "no directory: {made:?}");
    PathBuf::from(path.trim_end())
}
