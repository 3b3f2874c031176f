//! A server that is measured: a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use enlist_core::SystemClock;
use enlist_keys::tls::{ServerTrust, client_config};
use enlist_pki::path::Anchors;
use enlist_wire::{Client, Enrollment, NewGroup};
use rustls::ClientConfig;
use rustls::client::Resumption;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::newcomers::Newcomers;
use crate::{Role, process, scratch};

/// A running server, killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// How a device connects that has not been here before: no session is resumed.
    pub(crate) tls: Arc<ClientConfig>,
    data: TempDir,
}

impl Served {
    /// Starts `enlist serve` on an empty directory.
    pub(crate) fn enlist() -> Result<Self> {
        let mut command = Command::new(scratch::binary("enlist")?);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let data = scratch::directory()?;
        command.arg("--data").arg(data.path());
        // Other settings of the environment's are not what is measured.
        for name in ["ENLIST_DATABASE_URL", "ENLIST_LOG", "ENLIST_PUBLIC_URL"] {
            command.env_remove(name);
        }
        Self::start(command, data)
    }

    /// Starts this program in another role, in an empty directory.
    pub(crate) fn role(role: Role) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", &format!("{role:?}").to_lowercase()]);
        let data = scratch::directory()?;
        command.current_dir(data.path());
        Self::start(command, data)
    }

    fn start(mut command: Command, data: TempDir) -> Result<Self> {
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
        let url = format!("https://{}", self.address);
        let client = Client::new(&url, self.tls.clone(), Duration::from_secs(30))?
            .with_token(SecretString::from(self.admin()?));
        let mut group = NewGroup::named(name);
        group.enrollment = Enrollment::Open;
        let made = client.create_group("default", &group)?;
        let secret = made.secret.context("a group without its secret")?;
        Ok(Newcomers::new(name, secret.secret.expose()))
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

/// How a client connects that believes in `root` and resumes no session.
pub(crate) fn tls(root: &str) -> Result<ClientConfig> {
    let trust = ServerTrust {
        anchors: Anchors::from_pem(root)?,
        service_anchors: Anchors::default(),
    };
    let mut tls = client_config(trust, None, Arc::new(SystemClock))?;
    tls.resumption = Resumption::disabled();
    Ok(tls)
}
