use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config::HookCommand;
use crate::log::Log;
use crate::machine::Identity;

/// A hook that takes longer is ended.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs the commands one after another. What fails is logged and does not keep the others from running.
///
/// They find the device and its files in `ENLIST_DEVICE_ID`, `ENLIST_DEVICE_NAME` and
/// `ENLIST_DIRECTORY` (where `certificate.pem`, `key.pem` and `ca.pem` are).
pub(crate) fn run(commands: &[HookCommand], identity: &Identity, directory: &Path, log: &Log) {
    for hook in commands {
        let Some(mut command) = command(hook) else {
            continue;
        };
        command
            .env("ENLIST_DEVICE_ID", identity.device_id.to_string())
            .env("ENLIST_DEVICE_NAME", &identity.name)
            .env("ENLIST_DIRECTORY", directory)
            // These are the agent's own conversation with systemd.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let name = command.get_program().to_string_lossy().into_owned();
        match command.spawn().and_then(wait) {
            Ok(Some(status)) if status.success() => {}
            Ok(Some(status)) => log.warn(format_args!("hook `{name}` failed: {status}")),
            Ok(None) => log.warn(format_args!(
                "hook `{name}` was ended after {} seconds",
                LONGEST.as_secs()
            )),
            Err(error) => log.warn(format_args!("hook `{name}` can't be run: {error}")),
        }
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
fn wait(mut child: Child) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > LONGEST {
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
}
