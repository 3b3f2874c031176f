//! A peer's server: a process of its own in a directory of its own.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustls::ClientConfig;
use tempfile::TempDir;

use crate::http::Connection;

/// Longer than any of them takes to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, killed when this is dropped.
pub(super) struct Running {
    child: Child,
    pub(super) address: SocketAddr,
    directory: TempDir,
}

impl Running {
    /// Starts it, and waits until it shakes hands.
    pub(super) fn start(
        mut command: Command,
        address: SocketAddr,
        tls: &Arc<ClientConfig>,
        directory: TempDir,
    ) -> Result<Self> {
        let log = std::fs::File::create(directory.path().join("log"))?;
        let child = command
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("can't run {command:?}"))?;
        let mut running = Self {
            child,
            address,
            directory,
        };
        let begun = Instant::now();
        while let Err(error) = Connection::open(address, tls) {
            let ended = running.child.try_wait()?.is_some();
            if ended || begun.elapsed() > PATIENCE {
                bail!("{command:?} does not start: {error}\n{}", running.log());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(running)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
