//! Agents: processes of their own, each with its hardware identity and its directory.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use enlist_agent::disk::{FileDisk, Vault};
use enlist_agent::machine::State;
use enlist_core::{Clock, SystemClock};
use enlist_wire::{Device, DeviceState};
use tokio::task::JoinHandle;

use super::{PREFIX, Stage, secret};
use crate::device_file::DeviceFile;
use crate::failure::refused;
use crate::files::{self, Access};
use crate::progress;
use crate::say::say;

/// How long nothing may happen while agents enroll.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long agents get to end in good order.
const GRACE: Duration = Duration::from_secs(5);

/// The agents. Dropping it ends them.
pub struct Fleet {
    agents: Vec<Agent>,
}

/// One agent.
pub struct Agent {
    /// The name of its device.
    pub device: String,
    directory: PathBuf,
    process: Option<Child>,
    /// It was enrolled when it was started, so that only it can know what else is to be done.
    enrolled_before: bool,
}

impl Fleet {
    /// Writes the agents' files.
    pub fn prepare(stage: &Stage<'_>, count: u32) -> anyhow::Result<Self> {
        let directories = stage.data.join("agents");
        let config = |number: u32| directories.join(number.to_string()).join("config.json");
        let secret = secret::for_agents(stage, &config(1))?;
        let (tenant, group) = (stage.settings.tenant.as_str(), stage.group.as_str());
        let signing = stage.client.signing(tenant, group)?;
        let mut agents = Vec::new();
        for number in 1..=count {
            let directory = directories.join(number.to_string());
            files::make_private_directory(&directory)
                .with_context(|| format!("`{}` can't be made", directory.display()))?;
            let device = format!("{PREFIX}{number}");
            let mut file = DeviceFile::new(&stage.settings.tenant, &stage.group)
                .with_server(stage.settings)?
                .with_signing(signing.clone());
            let state = directory.join("state");
            file.name = Some(device.parse()?);
            file.hardware_id = Some(format!("quickstart-{number}"));
            file.persistent_directory = Some(state.clone());
            file.export_directory = Some(directory.join("credentials"));
            file.device_enrollment_token = Some(secret.clone());
            let text = serde_json::to_vec_pretty(&file).context("a configuration")?;
            files::replace(&config(number), &text, Access::Private)?;
            agents.push(Agent {
                device,
                directory,
                process: None,
                enrolled_before: holds_certificate(&state),
            });
        }
        Ok(Self { agents })
    }

    /// Starts the agents: this program, in its other role.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe().context("this program can't find itself")?;
        for agent in &mut self.agents {
            agent.process = Some(agent.spawn(&program)?);
        }
        Ok(())
    }

    /// Waits until every agent has its certificate, or has been told that it gets none. False where
    /// some have neither after a while.
    pub fn wait(&mut self, stage: &Stage<'_>, stop: &JoinHandle<()>) -> anyhow::Result<bool> {
        let bar = progress::short_bar(self.agents.len() as u64, "agents enrolled");
        let mut waiting: Vec<_> = self.agents.iter_mut().collect();
        let mut last = Instant::now();
        while !waiting.is_empty() && !stop.is_finished() {
            let before = waiting.len();
            let mut still = Vec::new();
            for agent in waiting {
                if agent.is_settled(&agent.on_record(stage)?) {
                    bar.inc(1);
                } else {
                    agent.check_alive()?;
                    still.push(agent);
                }
            }
            waiting = still;
            if waiting.len() < before {
                last = Instant::now();
            } else if last.elapsed() > PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bar.finish_and_clear();
        let all_well = waiting.is_empty();
        let enrolled = self.agents.len();
        if all_well {
            say!("{enrolled} agents are at work.");
        }
        Ok(all_well)
    }

    /// The agents.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// Ends the agents in good order.
    pub fn stop(mut self) -> anyhow::Result<()> {
        for agent in &self.agents {
            agent.ask_to_end();
        }
        let begun = Instant::now();
        while self.agents.iter_mut().any(Agent::is_running) && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
        // What is left ends with this.
        drop(self);
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            if let Some(mut process) = agent.process.take() {
                // It may have ended by itself.
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

impl Agent {
    /// What the server knows of its device.
    pub fn on_record(&self, stage: &Stage<'_>) -> anyhow::Result<Device> {
        let (tenant, group) = (stage.settings.tenant.as_str(), stage.group.as_str());
        Ok(stage.client.device(tenant, group, &self.device)?)
    }

    fn spawn(&self, program: &Path) -> anyhow::Result<Child> {
        let path = self.directory.join("agent.log");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("`{}` can't be written", path.display()))?;
        Command::new(program)
            .args(["agent", "--with-parent", &std::process::id().to_string()])
            .args(["run", "-c"])
            .arg(self.directory.join("config.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("an agent can't be started")
    }

    /// Whether there is nothing to wait for: it is active with a good certificate, or somebody has
    /// taken it out of service since it was enrolled.
    fn is_settled(&self, device: &Device) -> bool {
        let now = SystemClock.now().as_secs();
        match device.state {
            DeviceState::Active => device
                .certificate
                .as_ref()
                .is_some_and(|certificate| certificate.not_after.as_secs() > now),
            DeviceState::Created => self.enrolled_before,
            _ => true,
        }
    }

    fn check_alive(&mut self) -> anyhow::Result<()> {
        if self.is_running() {
            return Ok(());
        }
        Err(refused(
            "agent-ended",
            format!(
                "the agent of `{}` has ended: `{}` says why",
                self.device,
                self.directory.join("agent.log").display()
            ),
        ))
    }

    fn is_running(&mut self) -> bool {
        match &mut self.process {
            Some(process) => matches!(process.try_wait(), Ok(None)),
            None => false,
        }
    }

    #[cfg(unix)]
    fn ask_to_end(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.process.as_ref().and_then(|process| {
            let raw = i32::try_from(process.id()).ok()?;
            Pid::from_raw(raw)
        });
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Elsewhere there is no asking; what the agent writes is whole or not there.
    #[cfg(not(unix))]
    fn ask_to_end(&self) {}
}

fn holds_certificate(state: &Path) -> bool {
    let kept = Vault::new(FileDisk::look(state)).state();
    let kept: Option<State> = kept.ok().flatten();
    kept.is_some_and(|state| state.identity().is_some())
}
