//! Where the server's log goes.

use std::io::IsTerminal;

use enlist_server::{LogFormat, Traces};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::say::colours_on_stderr;

/// Logs to standard error, and takes traces down where there is somebody to send them to.
pub fn to_stderr(format: LogFormat, traces: Option<&Traces>) {
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours_on_stderr());
    let log = match format {
        LogFormat::Json => log.json().boxed(),
        // systemd adds the time itself.
        LogFormat::Text if under_systemd() => log.without_time().boxed(),
        LogFormat::Text => log.boxed(),
    };
    tracing_subscriber::registry()
        .with(log.with_filter(filter()))
        .with(traces.map(|traces| traces.layer().filtered()))
        .init();
}

/// Logs to the end of a file.
#[cfg(unix)]
pub fn to_file(path: &std::path::Path) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("`{}` can't be written", path.display()))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(std::sync::Mutex::new(file))
        .with_ansi(false)
        .init();
    Ok(())
}

/// `ENLIST_LOG`, or else `RUST_LOG`; what can't be read counts as nothing said.
fn filter() -> EnvFilter {
    EnvFilter::try_from_env("ENLIST_LOG")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new("info"))
}

fn under_systemd() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal()
}
