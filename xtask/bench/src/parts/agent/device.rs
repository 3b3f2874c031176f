//! A device of its own: a directory, and the processes that run over it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::newcomers::Newcomers;
use crate::served::Served;
use crate::{process, scratch};

/// How long `run` has, at most, until it has nothing to do.
const SETTLING: Duration = Duration::from_secs(5);

/// A device, and the agent that it has.
pub(super) struct Device {
    binary: PathBuf,
    directory: TempDir,
}

/// What `run` takes while it waits.
pub(super) struct Idle {
    /// Memory, in KiB.
    pub(super) resident: u64,
    /// How often one of its threads had something to do.
    pub(super) wakes: u64,
}

impl Device {
    /// A new one, which may enroll.
    pub(super) fn new(
        binary: &Path,
        server: &Served,
        group: &Newcomers,
        round: usize,
    ) -> Result<Self> {
        let directory = scratch::directory()?;
        let config = json!({
            "schema_version": 1,
            "server_url": format!("https://{}", server.address),
            "trust_anchors_pem": std::fs::read_to_string(server.data().join("root.pem"))?,
            "group": group.group,
            "device_enrollment_token": group.secret,
            "name": format!("agent-{round}"),
            "hardware_id": format!("bench-{round}"),
            "persistent_directory": directory.path().join("state"),
        });
        std::fs::write(directory.path().join("config.json"), config.to_string())?;
        Ok(Self {
            binary: binary.to_owned(),
            directory,
        })
    }

    /// Runs `enlist-agent provision`; says how long it took, and the most memory it had, in KiB.
    pub(super) fn provision(&self) -> Result<(Duration, u64)> {
        let start = Instant::now();
        let mut child = self.start("provision")?;
        let (succeeded, peak) = watched(&mut child)?;
        let took = start.elapsed();
        ensure!(succeeded, "the agent failed: {}", self.log());
        Ok((took, peak))
    }

    /// Runs `enlist-agent run` until it has nothing to do, and then for `long`.
    pub(super) fn idle(&self, long: Duration) -> Result<Idle> {
        let mut child = self.start("run")?;
        std::thread::sleep(SETTLING);
        let idle: Result<Idle> = (|| {
            let before = process::wakes(child.id()).context("`run` has ended")?;
            std::thread::sleep(long);
            let after = process::wakes(child.id()).context("`run` has ended")?;
            let memory = process::resident(child.id()).context("`run` has ended")?;
            Ok(Idle {
                resident: memory.now,
                wakes: after.saturating_sub(before),
            })
        })();
        let _ = child.kill();
        let _ = child.wait();
        idle.with_context(|| self.log())
    }

    fn start(&self, command: &str) -> Result<Child> {
        let at = self.directory.path();
        let child = Command::new(&self.binary)
            .args([command, "-c"])
            .arg(at.join("config.json"))
            .env_remove("RUST_BACKTRACE")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at.join("log"))?)
            .spawn()?;
        Ok(child)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// Runs the program that makes one request; says the most memory it had, in KiB.
pub(super) fn request(binary: &Path, server: &Served) -> Result<u64> {
    let mut child = Command::new(binary)
        .arg(server.data().join("root.pem"))
        .arg(server.address.to_string())
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::null())
        .spawn()?;
    let (succeeded, peak) = watched(&mut child)?;
    ensure!(succeeded, "the program that makes one request failed");
    Ok(peak)
}

/// Waits for a process to end; whether it went well, and the most memory it had, in KiB.
fn watched(child: &mut Child) -> Result<(bool, u64)> {
    let mut peak = 0;
    // What the kernel would tell afterwards counts this process in, as it was before the exec.
    loop {
        if let Some(memory) = process::resident(child.id()) {
            peak = peak.max(memory.peak);
        }
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), peak));
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}
