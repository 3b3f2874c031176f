use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::config::HookCommand;
use crate::explain;
use crate::log::Log;
use crate::machine::Identity;

/// A hook that takes longer is ended.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs the commands one after another. What fails is logged and does not keep the others from running.
///
/// They find the device and its files in `ENLIST_DEVICE_ID`, `ENLIST_DEVICE_NAME` and
/// `ENLIST_DIRECTORY` (where `certificate.pem`, `key.pem` and `ca.pem` are).
pub(crate) fn run(commands: &[HookCommand], identity: &Identity, directory: &Path, log: &Log) {
    let environment = [
        ("ENLIST_DEVICE_ID", identity.device_id.to_string()),
        ("ENLIST_DEVICE_NAME", identity.name.clone()),
        ("ENLIST_DIRECTORY", directory.to_string_lossy().into_owned()),
    ];
    for hook in commands {
        if let Err(why) = run_within(hook, &environment, LONGEST) {
            log.warn(format_args!("hook `{}` {}", program(hook), explain(&why)));
        }
    }
}

/// Why a hook did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookFailure {
    /// It said so.
    #[error("failed: {0}")]
    Failed(ExitStatus),
    /// It did not end.
    #[error("was ended after {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// It could not be started, or not be waited for.
    #[error("can't be run")]
    NotRun(#[source] io::Error),
}

/// Runs one command, for so long at most: then it is ended, with everything that it has started.
pub(crate) fn run_within(
    hook: &HookCommand,
    environment: &[(&str, String)],
    limit: Duration,
) -> Result<(), HookFailure> {
    let Some(mut command) = command(hook) else {
        return Ok(());
    };
    command
        .envs(environment.iter().map(|(name, value)| (name, value)))
        // These are the agent's own conversation with systemd.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0);
    let child = command.spawn().map_err(HookFailure::NotRun)?;
    match wait(child, limit).map_err(HookFailure::NotRun)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(HookFailure::Failed(status)),
        None => Err(HookFailure::TimedOut(limit)),
    }
}

/// The program that a hook starts: of a command line, its first word. Arguments may hold secrets.
pub(crate) fn program(hook: &HookCommand) -> &str {
    match hook {
        HookCommand::Line(line) => line.split_whitespace().next().unwrap_or("-"),
        HookCommand::Program(words) => words.first().map_or("-", String::as_str),
    }
}

fn command(hook: &HookCommand) -> Option<Command> {
    match hook {
        HookCommand::Line(line) => {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(line);
            Some(command)
        }
        HookCommand::Program(words) => {
            let (program, arguments) = words.split_first()?;
            let mut command = Command::new(program);
            command.args(arguments);
            Some(command)
        }
    }
}

/// `None` when it had to be ended.
fn wait(mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            if let Ok(Some(group)) = i32::try_from(child.id()).map(Pid::from_raw) {
                // A group that is gone already has done what was wanted.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        crate::systemd::alive();
        sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use enlist_core::{DeviceId, SystemClock};

    use super::*;

    #[test]
    fn hooks_run_in_order_and_know_the_device() {
        let home = tempfile::tempdir().unwrap();
        let identity = Identity {
            device_id: DeviceId::from_bytes([1; 16]),
            tenant: "default".into(),
            group: "default".into(),
            name: "press-1".into(),
            slot: 1,
            previous: None,
            validity: None,
            counter: 0,
            confirmed: true,
            pre_enrolled: false,
            announce: true,
            renewal: None,
        };
        let commands = [
            HookCommand::Line("echo $ENLIST_DEVICE_NAME >> \"$ENLIST_DIRECTORY/out\"".into()),
            HookCommand::Program(vec!["/does/not/exist".into()]),
            HookCommand::Line("exit 3".into()),
            HookCommand::Line("echo $ENLIST_DEVICE_ID >> \"$ENLIST_DIRECTORY/out\"".into()),
        ];
        let log = Log::new(Arc::new(SystemClock));
        run(&commands, &identity, home.path(), &log);
        let out = std::fs::read_to_string(home.path().join("out")).unwrap();
        assert_eq!(out, format!("press-1\n{}\n", identity.device_id));
    }

    #[test]
    fn a_hook_that_hangs_is_ended_with_what_it_has_started() {
        let home = tempfile::tempdir().unwrap();
        let sign = home.path().join("still-there");
        let line = format!("(sleep 1; touch {}) & sleep 60", sign.display());
        let start = Instant::now();
        let limit = Duration::from_millis(200);
        let ended = run_within(&HookCommand::Line(line), &[], limit);
        assert!(matches!(ended, Err(HookFailure::TimedOut(_))), "{ended:?}");
        assert!(start.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(1500));
        assert!(!sign.exists(), "its child was ended too");
    }
}
