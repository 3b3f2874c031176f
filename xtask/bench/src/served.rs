//! A server that is measured: a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use enlist_core::SystemClock;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_pki::path::Anchors;
use enlist_wire::{Client, Enrollment, NewGroup};
use rustls::ClientConfig;
use rustls::client::Resumption;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::newcomers::Newcomers;
use crate::peers::traced;
use crate::{Role, process, scratch};

/// A running server, killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// How a device connects that has not been here before: no session is resumed.
    pub(crate) tls: Arc<ClientConfig>,
    data: Arc<TempDir>,
    status: Option<SocketAddr>,
}

impl Served {
    /// Starts `enlist serve` on an empty directory.
    pub(crate) fn enlist() -> Result<Self> {
        Self::over(scratch::directory()?.into(), None)
    }

    /// The same in this directory, traced into a file where one is named.
    pub(crate) fn traced(data: TempDir, trace: Option<&Path>) -> Result<Self> {
        let mut command = traced::command(&scratch::binary("enlist")?, trace);
        serve(&mut command, data.path());
        Self::start(command, data.into(), None)
    }

    /// The same on a database of PostgreSQL's.
    pub(crate) fn on(database: &str, data: TempDir) -> Result<Self> {
        let mut command = Command::new(scratch::binary("enlist")?);
        serve(&mut command, data.path());
        command.env("ENLIST_DATABASE_URL", database);
        Self::start(command, data.into(), None)
    }

    /// The same, with a door of its own for those who ask how certificates stand.
    pub(crate) fn with_status() -> Result<Self> {
        Self::over(scratch::directory()?.into(), Some(free_address()?))
    }

    /// Ends it, changes what it left, and starts it again on that.
    pub(crate) fn again(self, change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let (data, status) = (self.data.clone(), self.status);
        drop(self);
        change(data.path())?;
        Self::over(data, status)
    }

    fn over(data: Arc<TempDir>, status: Option<SocketAddr>) -> Result<Self> {
        let mut command = Command::new(scratch::binary("enlist")?);
        serve(&mut command, data.path());
        if let Some(status) = status {
            command.arg("--status-listen").arg(status.to_string());
        }
        Self::start(command, data, status)
    }

    /// Starts this program in another role, in an empty directory.
    pub(crate) fn role(role: Role) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", &format!("{role:?}").to_lowercase()]);
        let data = scratch::directory()?;
        command.current_dir(data.path());
        Self::start(command, data.into(), None)
    }

    fn start(mut command: Command, data: Arc<TempDir>, status: Option<SocketAddr>) -> Result<Self> {
        // Backtraces of errors would be measured along.
        command.env_remove("RUST_BACKTRACE");
        command.env_remove("RUST_LIB_BACKTRACE");
        let log = std::fs::File::create(data.path().join("log"))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("can't run {command:?}"))?;
        let mut out = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut url = String::new();
        out.read_line(&mut url)?;
        let address = url.trim().trim_start_matches("https://");
        let address = address
            .to_socket_addrs()
            .ok()
            .and_then(|mut all| all.next())
            .with_context(|| {
                let log = std::fs::read_to_string(data.path().join("log")).unwrap_or_default();
                format!("the server does not start: {log}")
            })?;
        let root = std::fs::read_to_string(data.path().join("root.pem"))?;
        Ok(Self {
            child,
            out,
            address,
            tls: Arc::new(tls(&root)?),
            data,
            status,
        })
    }

    /// Where it keeps its files.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The administrator's token.
    pub(crate) fn admin(&self) -> Result<String> {
        let token = std::fs::read_to_string(self.data().join("admin.token"))?;
        Ok(token.trim().to_owned())
    }

    /// Makes a group that lets in everybody who has its secret.
    pub(crate) fn group(&self, name: &str) -> Result<Newcomers> {
        let client = self.operator()?;
        let mut group = NewGroup::named(name);
        group.enrollment = Enrollment::Open;
        let made = client.create_group("default", &group)?;
        let secret = made.secret.context("a group without its secret")?;
        Ok(Newcomers::new(name, secret.secret.expose()))
    }

    /// Who may do everything.
    pub(crate) fn operator(&self) -> Result<Client> {
        Ok(self
            .client(self.tls.clone())?
            .with_token(SecretString::from(self.admin()?)))
    }

    /// Whoever connects like that.
    pub(crate) fn client(&self, tls: Arc<ClientConfig>) -> Result<Client> {
        let url = format!("https://{}", self.address);
        Ok(Client::new(&url, tls, Duration::from_secs(30))?)
    }

    /// The door without TLS, at which it says how certificates stand.
    pub(crate) fn status(&self) -> Result<SocketAddr> {
        self.status.context("the server has no such door")
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.child.id())
    }

    /// Its memory.
    pub(crate) fn resident(&self) -> Result<process::Resident> {
        process::resident(self.child.id()).context("the server has ended")
    }

    /// Tells it to end, and returns what it says then.
    pub(crate) fn last_words(mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let mut words = String::new();
        self.out.read_to_string(&mut words)?;
        Ok(words)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `enlist serve` over a data directory.
fn serve(command: &mut Command, data: &Path) {
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(data);
    // Other settings of the environment's are not what is measured.
    for name in ["ENLIST_DATABASE_URL", "ENLIST_LOG", "ENLIST_PUBLIC_URL"] {
        command.env_remove(name);
    }
}

/// An address that nobody listens at.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// How a client connects that believes in `root` and resumes no session.
pub(crate) fn tls(root: &str) -> Result<ClientConfig> {
    tls_as(root, None)
}

/// The same, with a certificate.
pub(crate) fn tls_as(root: &str, identity: Option<Identity>) -> Result<ClientConfig> {
    let trust = ServerTrust {
        anchors: Anchors::from_pem(root)?,
        service_anchors: Anchors::default(),
    };
    let mut tls = client_config(trust, identity, Arc::new(SystemClock))?;
    tls.resumption = Resumption::disabled();
    Ok(tls)
}
