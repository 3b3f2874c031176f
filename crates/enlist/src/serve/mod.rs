//! `enlist serve`: the server.

mod check;
mod log;
mod settings;
mod systemd;
mod url;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use enlist_core::{SystemClock, SystemRng};
use enlist_ops::{Config, FirstStart, Ops};
use enlist_server::{
    Listen, LogFormat, MetricsDoor, Observe, ServeError, Server, Settings, StatusDoor, Traces,
};

use crate::cli::Global;
use crate::files;
use crate::interrupt::interrupted;
use crate::output;
use crate::say::say;
use settings::Flags;

#[cfg(unix)]
pub use log::to_file;
pub use settings::{decide as decide_settings, secret};
pub use url::base_url;

/// Run the server
///
/// The first start makes the data directory, the root and the CAs, tenant `default` with its open
/// group `default`, and an administrator's token: DIR/admin.token (0600) and DIR/root.pem are what
/// `enlist login` needs. The address goes to standard output once the server listens, the log to
/// standard error. SIGTERM or Ctrl-C ends it in good order.
///
/// Flags win over the environment, and that over the file, which is server.toml in the data directory
/// where none is named.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    flags: Flags,
    /// Only check the settings: say what is wrong with them, or what they come to
    #[arg(long)]
    check: bool,
    /// End with the process of this id, which has started this one
    #[cfg(unix)]
    #[arg(long, value_name = "PID", hide = true)]
    with_parent: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  enlist serve
  enlist serve --data /var/lib/enlist --listen 0.0.0.0:8443 --public-url https://enlist.example.com:8443
  enlist serve --config /etc/enlist/server.toml --check

Environment:
  ENLIST_DATA, ENLIST_LISTEN, ENLIST_PUBLIC_URL, ENLIST_WRAPPING_KEY_FILE, ENLIST_CA_KEY_STORE,
  ENLIST_STATUS_LISTEN, ENLIST_STATUS_URL, ENLIST_CRL_LIFETIME_H, ENLIST_TLS_CERTIFICATE, ENLIST_TLS_KEY, ENLIST_MAX_CONNECTIONS, ENLIST_LOG_FORMAT,
  ENLIST_TRUSTED_PROXIES (with commas), ENLIST_DRAIN_DELAY_S,
  ENLIST_METRICS_LISTEN, ENLIST_OTLP_ENDPOINT, ENLIST_TRACE_RATIO   as the flags
  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG   where those for traces are not set
  ENLIST_DATABASE_URL   postgres://user:password@host/database; better here than in a flag
  ENLIST_WRAPPING_KEY   the wrapping key or a passphrase itself
  ENLIST_LOG            what to log, such as debug or enlist_server=debug,info [default: info]";

impl Serve {
    /// Runs it until it is told to stop.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        #[cfg(unix)]
        if self
            .with_parent
            .is_some_and(|parent| !crate::agent::dies_with(parent))
        {
            return Ok(());
        }
        let format = self.flags.log_format();
        let decided = self.flags.decide();
        // Before anything is made: a log that says nothing would be noticed when it is needed.
        let decided = decided.and_then(|settings| log::filter().map(|_| settings));
        if self.check {
            return check::check(&decided?, global.output);
        }
        let settings = match decided {
            Err(error) if format == LogFormat::Json => {
                log::to_stderr(format, None);
                return Err(log::ended(error));
            }
            decided => decided?,
        };
        let traces = settings.observe.traces.clone();
        let traces = traces.map(|to| Traces::new(to, Arc::new(SystemClock), &SystemRng));
        let format = settings.log_format;
        log::to_stderr(format, traces.as_ref());
        let unread = settings::unread_variables();
        if !unread.is_empty() {
            let variables = unread.join(", ");
            tracing::warn!(
                variables,
                "no setting has such a name, so these are not read"
            );
        }
        let ended = run(settings, traces);
        match format {
            LogFormat::Json => ended.map_err(log::ended),
            LogFormat::Text => ended,
        }
    }
}

fn run(settings: Settings, traces: Option<Traces>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the server can't start its threads")?;
    runtime.block_on(serve(settings, traces))
}

async fn serve(settings: Settings, traces: Option<Traces>) -> anyhow::Result<()> {
    // Before anything is made: a first start that can't listen is not to be the first.
    drop(
        std::net::TcpListener::bind(settings.listen.address).map_err(|source| {
            ServeError::Listen {
                address: settings.listen.address,
                source,
            }
        })?,
    );
    let door = settings.status.listen.map(StatusDoor::bind).transpose()?;
    let metrics = settings.observe.metrics_listen;
    let metrics = metrics.map(MetricsDoor::bind).transpose()?;
    make_data_directory(&settings.data)?;
    let (ops, first) = open(&settings, door.as_ref()).await?;
    let public_url = settings.public_url.clone();
    let data = settings.data.clone();
    let format = settings.log_format;
    if let Some(door) = &door {
        tracing::info!(address = %door.address(), "revocation lists and OCSP over plain HTTP");
    }
    if let Some(door) = &metrics {
        tracing::info!(address = %door.address(), "metrics over plain HTTP");
    }
    let observe = Observe {
        metrics,
        traces,
        data: Some(data.clone()),
    };
    let listen = Listen {
        status: door,
        ..settings.listen
    };
    let server = tokio::select! {
        server = Server::start_observed(ops, listen, observe) => server?,
        () = interrupted() => return Ok(()),
    };
    let url = base_url(public_url.as_deref(), server.address());
    if let Some(first) = first {
        welcome(&first, &url, &data, format);
    }
    tracing::info!(address = %server.address(), "listening");
    // Nobody listening on standard output is no reason to end.
    let _ = output::line(&url);
    let heartbeat = systemd::ready(&url);
    interrupted().await;
    tracing::info!("stopping");
    systemd::stopping();
    // The watchdog goes on while requests under way are answered.
    let _heartbeat = heartbeat;
    tokio::select! {
        () = server.stop() => {
            tracing::info!("stopped");
            Ok(())
        }
        () = interrupted() => anyhow::bail!("told to stop twice: ended at once, with requests under way"),
    }
}

/// Opens the installation that the settings name, with the plain HTTP door that was opened for it.
pub async fn open(
    settings: &Settings,
    door: Option<&StatusDoor>,
) -> anyhow::Result<(Ops, Option<FirstStart>)> {
    let config = Config {
        location: settings.location.clone(),
        data_dir: Some(settings.data.clone()),
        wrapping: settings.wrapping.clone(),
        ca_key_store: settings.ca_key_store.clone(),
        status: settings.status_config(door),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
        outbound: enlist_server::outbound(Arc::new(SystemClock)),
    };
    Ok(enlist_ops::open(config).await?)
}

/// Makes the data directory, for its owner alone.
pub fn make_data_directory(directory: &Path) -> anyhow::Result<()> {
    files::make_private_directory(directory)
        .with_context(|| format!("the data directory `{}` can't be made", directory.display()))
}

fn welcome(first: &FirstStart, url: &str, data: &Path, format: LogFormat) {
    let Some(token) = &first.admin_token_path else {
        return;
    };
    let root = data.join("root.pem");
    let (ca, token_file) = (root.display(), token.display());
    match format {
        LogFormat::Json => tracing::info!(
            server = url,
            %ca,
            %token_file,
            "this is a new installation: its administrator logs in with `enlist login`, and these"
        ),
        LogFormat::Text => say!(
            "This is a new installation. Its administrator logs in with:\n  enlist login --server {url} --ca {ca} --token-file {token_file}"
        ),
    }
}
