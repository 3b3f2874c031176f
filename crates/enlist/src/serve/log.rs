//! Where the server's log goes.

use std::io::IsTerminal;

use anyhow::{Context as _, bail};
use enlist_server::{LogFormat, Traces};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::AlreadySaid;
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
    // One that can't be read was refused before, where there was a choice.
    let filter = filter().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces.map(|traces| traces.layer().filtered()))
        .init();
}

/// Logs to the end of a file.
#[cfg(unix)]
pub fn to_file(path: &std::path::Path) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("`{}` can't be written", path.display()))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter()?)
        .with_writer(std::sync::Mutex::new(file))
        .with_ansi(false)
        .init();
    Ok(())
}

/// Says as a line of the log why the server ends. What is returned is what remains to be said elsewhere.
pub fn ended(error: anyhow::Error) -> anyhow::Error {
    if !tracing::enabled!(tracing::Level::ERROR) {
        return error;
    }
    tracing::error!(error = enlist_core::explain(&*error), "the server ends");
    AlreadySaid.into()
}

/// `ENLIST_LOG`, or else `RUST_LOG`; what can't be read of the latter, which is not ours, counts as nothing said.
///
/// # Errors
/// When `ENLIST_LOG` is no filter.
pub fn filter() -> anyhow::Result<EnvFilter> {
    let ours = std::env::var("ENLIST_LOG").unwrap_or_default();
    if ours.trim().is_empty() {
        return Ok(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")));
    }
    let expected =
        "expected a level (off, error, warn, info, debug, trace), or PART=LEVEL with commas";
    // A single word is taken for the name of a part of the program: a mistyped level would turn all else off.
    for word in ours.split(',').map(str::trim) {
        let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && word.parse::<LevelFilter>().is_err() {
            bail!("ENLIST_LOG: `{word}` is no level: {expected}");
        }
    }
    EnvFilter::try_new(&ours).with_context(|| format!("ENLIST_LOG can't be read: {expected}"))
}

fn under_systemd() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal()
}
