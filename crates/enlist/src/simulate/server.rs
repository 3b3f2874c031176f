//! The server that the devices turn to: one that is named, or one of the simulator's own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use enlist_core::{Rng, SystemRng, lower_hex};

use super::Where;
use crate::cli::Global;
use crate::context::{Settings, anchors, server_url, token};
use crate::failure::refused;
use crate::files;
use crate::say::say;
use crate::secret_file;

/// How long a server of our own gets to end in good order.
const GRACE: Duration = Duration::from_secs(20);

/// The server, as far as the simulator has to do with it.
pub struct Servers {
    /// How its administrator reaches it.
    pub settings: Settings,
    /// Every address that devices are spread over.
    pub addresses: Vec<String>,
    /// Its process, where that is on this machine and known.
    pub pid: Option<u32>,
    own: Option<Own>,
}

/// A process that was started for this run.
struct Own {
    process: Child,
    data: PathBuf,
    is_kept: bool,
}

impl Servers {
    /// The servers that were named, or one that is started now.
    pub fn find(which: &Where, global: &Global) -> anyhow::Result<Self> {
        let Some(first) = which.server.first() else {
            if global.context.is_none() {
                return Self::start(which.data.as_deref());
            }
            let settings = global.settings()?;
            return Ok(Self {
                addresses: vec![settings.server.clone()],
                settings,
                pid: which.server_pid,
                own: None,
            });
        };
        let missing = |flag: &str| {
            refused(
                "incomplete-server",
                format!(
                    "--server takes --ca FILE and --token-file FILE beside it; {flag} is missing"
                ),
            )
        };
        let ca = which.ca.as_ref().ok_or_else(|| missing("--ca"))?;
        let path = which.token_file.as_ref();
        let path = path.ok_or_else(|| missing("--token-file"))?;
        let text = secret_file::token(path)?;
        let tenant = match &global.tenant {
            Some(tenant) => tenant.clone(),
            None => "default".parse().context("the default tenant")?,
        };
        Ok(Self {
            settings: Settings {
                server: server_url(first),
                ca_pem: anchors(&ca.to_string_lossy())?,
                service_ca_pem: None,
                token: Some(token(&text, &format!("`{}`", path.display()))?),
                tenant,
            },
            addresses: which.server.iter().map(|url| server_url(url)).collect(),
            pid: which.server_pid,
            own: None,
        })
    }

    /// Whether the server was started for this run.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    fn start(data: Option<&Path>) -> anyhow::Result<Self> {
        let is_kept = data.is_some();
        let data = match data {
            Some(data) => data.to_owned(),
            None => {
                let mut random = [0; 8];
                SystemRng.fill(&mut random);
                std::env::temp_dir().join(format!("enlist-simulate-{}", lower_hex(&random)))
            }
        };
        files::make_private_directory(&data)
            .with_context(|| format!("the data directory `{}` can't be made", data.display()))?;
        let path = data.join("server.log");
        let log = std::fs::File::create(&path)
            .with_context(|| format!("`{}` can't be written", path.display()))?;
        let program = std::env::current_exe().context("this program can't find itself")?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--with-parent"])
            .arg(std::process::id().to_string())
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        // What is meant for a real server must not reach this one: its database least of all.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ENLIST_") {
                command.env_remove(name);
            }
        }
        // Ctrl-C is for the simulator, which still wants to ask this server what is on record.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let process = command.spawn().context("a server can't be started")?;
        let mut own = Own {
            process,
            data,
            is_kept,
        };
        let url = own.address()?;
        say!("A server of its own listens on {url}.");
        let text = secret_file::token(&own.data.join("admin.token"))?;
        Ok(Self {
            settings: Settings {
                server: url.clone(),
                ca_pem: anchors(&own.data.join("root.pem").to_string_lossy())?,
                service_ca_pem: None,
                token: Some(token(&text, "the server's admin.token")?),
                tenant: "default".parse().context("the default tenant")?,
            },
            addresses: vec![url],
            pid: Some(own.process.id()),
            own: Some(own),
        })
    }
}

impl Own {
    fn address(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if let Some(out) = self.process.stdout.take() {
            BufReader::new(out)
                .read_line(&mut line)
                .context("the server's address can't be read")?;
        }
        if line.starts_with("https://") {
            return Ok(line.trim().to_owned());
        }
        // Its log goes with its directory, unless that is kept.
        let log = std::fs::read_to_string(self.data.join("server.log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it says nothing");
        Err(refused(
            "server-ended",
            format!("the server could not be started: {last}"),
        ))
    }

    fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    fn ask_to_end(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let raw = i32::try_from(self.process.id()).ok();
        if let Some(pid) = raw.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.ask_to_end();
        let begun = Instant::now();
        while self.is_running() && begun.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !self.is_kept {
            // What can't be removed lies in the system's directory for such things.
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}
