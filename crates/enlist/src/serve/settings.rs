//! Flags, environment and file, in this order.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use enlist_keys::Pkcs11Spec;
use enlist_server::{Layer, LogFormat, Settings};
use secrecy::SecretString;

use crate::text::{address, one_of};

/// The settings as flags.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// The data directory [default: enlist-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address and port to listen on; port 0 takes any that is free [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// PostgreSQL in place of SQLite in the data directory: postgres://… (others on this machine may
    /// see flags; ENLIST_DATABASE_URL keeps a password out of their sight)
    #[arg(long, value_name = "URL", value_parser = secret)]
    database_url: Option<SecretString>,
    /// The URL that devices and people call the server by
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The file with the wrapping key or a passphrase [default: DIR/wrapping.key]
    #[arg(long, value_name = "FILE")]
    wrapping_key: Option<PathBuf>,
    /// The PKCS#11 token that new CAs' keys are made in, and stay in:
    /// pkcs11:token=LABEL?module-path=/path/of/module.so&pin-source=file:/path/of/pin
    #[arg(long, value_name = "URI", value_parser = Pkcs11Spec::for_server)]
    ca_key_store: Option<Pkcs11Spec>,
    /// The address and port of a plain HTTP door for revocation lists and OCSP, such as 0.0.0.0:8080;
    /// certificates then point to it, by --status-url or the host of --public-url
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    status_listen: Option<SocketAddr>,
    /// The http:// URL that certificates point to for revocation lists and OCSP [default: the host of
    /// the public URL with the port of --status-listen]
    #[arg(long, value_name = "URL")]
    status_url: Option<String>,
    /// How long a revocation list may be relied on; a newer one is there at once when something changes
    /// [default: 168]
    #[arg(long, value_name = "HOURS")]
    crl_lifetime_h: Option<u64>,
    /// The server's certificate chain, PEM, where it is not to be the service CA's
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The key of that certificate, PKCS#8 as PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Connections at one time; more wait
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,
    /// The address, or range of addresses, of a load balancer that says by the PROXY protocol whom it passes
    /// on; it has to, and nobody else may. May be given more than once
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// Seconds between failing /readyz and closing the door, when told to end: as long as load balancers
    /// take to send new connections elsewhere [default: 0]
    #[arg(long, value_name = "SECONDS")]
    drain_delay: Option<u64>,
    /// The address and port at which Prometheus asks for metrics, by plain HTTP at /metrics, such as
    /// 127.0.0.1:9464; whoever reaches it reads the names of tenants and how many devices they have
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    metrics_listen: Option<SocketAddr>,
    /// The collector that traces of requests go to, by OTLP over HTTP, such as
    /// http://127.0.0.1:4318/v1/traces
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// The share of requests that are traced, from 0 to 1; those that callers trace are as well
    /// [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    trace_ratio: Option<f64>,
    /// How the log is written
    #[arg(long, value_name = "FORMAT", value_parser = one_of::<LogFormat>(&["text", "json"]))]
    log_format: Option<LogFormat>,
    /// The file with the settings [default: server.toml in the data directory, where there is one]
    #[arg(short = 'c', long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Flags {
    /// Puts the layers together.
    pub fn decide(self) -> anyhow::Result<Settings> {
        let named = self.config.clone();
        decide(self.into_layer(), named)
    }

    /// How the log is written, as far as that is known before the file is read.
    pub fn log_format(&self) -> LogFormat {
        let named = || std::env::var("ENLIST_LOG_FORMAT").is_ok_and(|name| name == "json");
        match self.log_format {
            Some(format) => format,
            None if named() => LogFormat::Json,
            None => LogFormat::Text,
        }
    }

    fn into_layer(self) -> Layer {
        Layer {
            data: self.data,
            listen: self.listen,
            database_url: self.database_url,
            public_url: self.public_url,
            wrapping_key: self.wrapping_key,
            wrapping_key_text: None,
            credentials: None,
            ca_key_store: self.ca_key_store,
            status_listen: self.status_listen,
            status_url: self.status_url,
            crl_lifetime_h: self.crl_lifetime_h,
            tls_certificate: self.tls_certificate,
            tls_key: self.tls_key,
            max_connections: self.max_connections,
            trusted_proxies: Some(self.trusted_proxy).filter(|some| !some.is_empty()),
            drain_delay_s: self.drain_delay,
            metrics_listen: self.metrics_listen,
            otlp_endpoint: self.otlp_endpoint,
            trace_ratio: self.trace_ratio,
            log_format: self.log_format,
        }
    }
}

/// The variables of the environment that look like settings, and that nothing reads: most likely mistyped.
pub fn unread_variables() -> Vec<String> {
    let read = RefCell::new(HashSet::new());
    let nothing = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        None
    };
    // All that there may be are asked for, and none is there.
    let _ = Layer::from_environment(nothing);
    let read = read.into_inner();
    let of_enlist = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unread: Vec<_> = of_enlist
        .filter(|name| name.starts_with("ENLIST_") && !read.contains(name))
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .filter(|name| !OF_KUBERNETES.iter().any(|theirs| name.starts_with(theirs)))
        .collect();
    unread.sort();
    unread
}

/// What the log and other commands read.
const OTHERS: [&str; 6] = [
    "ENLIST_LOG",
    "ENLIST_SERVER",
    "ENLIST_CA",
    "ENLIST_TOKEN",
    "ENLIST_MIGRATE_FROM",
    "ENLIST_MIGRATE_TO",
];

/// How the variables begin that Kubernetes gives each pod beside a service named `enlist`.
const OF_KUBERNETES: [&str; 3] = ["ENLIST_SERVICE_HOST", "ENLIST_SERVICE_PORT", "ENLIST_PORT"];

/// Puts flags over the environment, and that over the file: the one that is named, or else that in the data
/// directory.
pub fn decide(flags: Layer, named: Option<PathBuf>) -> anyhow::Result<Settings> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let above = flags.over(Layer::from_environment(variable)?);
    let file = named.or_else(|| {
        let data = above.data.clone();
        let beside = data
            .unwrap_or_else(|| PathBuf::from("enlist-data"))
            .join("server.toml");
        beside.exists().then_some(beside)
    });
    let below = match file {
        Some(path) => Layer::from_file(&path)?,
        None => Layer::default(),
    };
    above
        .over(below)
        .decide()
        .context("the settings don't fit together")
}

/// Takes a text that is never shown.
pub fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}
