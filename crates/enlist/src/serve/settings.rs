//! Flags, environment and file, in this order.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use enlist_keys::Pkcs11Spec;
use enlist_server::{Layer, LogFormat, Settings};
use secrecy::SecretString;

use crate::text::one_of;

/// The settings as flags.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// The data directory [default: enlist-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address and port to listen on; port 0 takes any that is free [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
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
    #[arg(long, value_name = "ADDRESS")]
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
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let environment = Layer::from_environment(variable)?;
        let named = self.config.clone();
        let above = self.into_layer().over(environment);
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
            log_format: self.log_format,
        }
    }
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}
