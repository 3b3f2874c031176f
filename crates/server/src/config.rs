//! `server.toml`, the environment and the command line, in layers.

mod door;
mod error;
mod misread;
mod observe;
mod status;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use enlist_keys::Pkcs11Spec;
use enlist_ops::{Location, ServerName, WrappingKeySource};
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::server::Listen;

pub use error::ConfigError;
pub use misread::Misread;
pub use observe::ObserveSettings;
pub use status::StatusSettings;

/// One layer of settings: a file, the environment, or the command line. What it leaves out the
/// layer below decides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Data directory.
    pub data: Option<PathBuf>,
    /// Address and port to listen on.
    pub listen: Option<SocketAddr>,
    /// `postgres://…`; without it SQLite in the data directory.
    pub database_url: Option<SecretString>,
    /// The URL that devices and people call the server by.
    pub public_url: Option<String>,
    /// The file that holds the wrapping key or a passphrase.
    pub wrapping_key: Option<PathBuf>,
    /// The wrapping key or passphrase itself: from the environment only, never from a file that
    /// others may read.
    #[serde(skip)]
    pub wrapping_key_text: Option<SecretString>,
    /// Where systemd keeps the credentials of this service; `wrapping-key` among them is found by
    /// itself.
    #[serde(skip)]
    pub credentials: Option<PathBuf>,
    /// The PKCS#11 token that the keys of CAs are made in: `pkcs11:…`.
    #[serde(default, deserialize_with = "token")]
    pub ca_key_store: Option<Pkcs11Spec>,
    /// Where the plain HTTP door for revocation lists and OCSP listens.
    pub status_listen: Option<SocketAddr>,
    /// The `http://…` URL under which certificates point to it.
    pub status_url: Option<String>,
    /// How long a revocation list may be relied on, in hours.
    pub crl_lifetime_h: Option<u64>,
    /// Certificate chain of the server, PEM, where it is not to be the service CA's.
    pub tls_certificate: Option<PathBuf>,
    /// The key of that certificate, PKCS#8 as PEM.
    pub tls_key: Option<PathBuf>,
    /// Connections at one time.
    pub max_connections: Option<usize>,
    /// The addresses of load balancers that say, by the PROXY protocol, whom they pass on.
    pub trusted_proxies: Option<Vec<String>>,
    /// Seconds between failing `/readyz` and closing the door, when the server is told to end.
    pub drain_delay_s: Option<u64>,
    /// Where metrics are asked for.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that traces go to, by the URL of its traces.
    pub otlp_endpoint: Option<String>,
    /// The share of requests that are traced, from 0 to 1.
    pub trace_ratio: Option<f64>,
    /// How the log is written.
    pub log_format: Option<LogFormat>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// All settings, decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Data directory.
    pub data: PathBuf,
    /// Where the record is kept.
    pub location: Location,
    /// Where the wrapping key comes from.
    pub wrapping: WrappingKeySource,
    /// The token that the keys of CAs are made in; `None` keeps them in the record.
    pub ca_key_store: Option<Pkcs11Spec>,
    /// What to listen with.
    pub listen: Listen,
    /// Where and how the world learns of revocations.
    pub status: StatusSettings,
    /// The URL that devices and people call the server by, where one was given.
    pub public_url: Option<String>,
    /// From where it is watched over.
    pub observe: ObserveSettings,
    /// How the log is written.
    pub log_format: LogFormat,
}

impl Layer {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read, or has a field that is unknown or wrong.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let invalid = |field: String, source: toml::de::Error| ConfigError::Invalid {
            path: path.to_owned(),
            field,
            source: Misread::of(&text, &source),
        };
        let document =
            toml::Deserializer::parse(&text).map_err(|error| invalid(String::new(), error))?;
        serde_path_to_error::deserialize(document)
            .map_err(|error| invalid(error.path().to_string(), error.into_inner()))
    }

    /// Reads the environment: `ENLIST_DATA`, `ENLIST_LISTEN`, `ENLIST_DATABASE_URL`,
    /// `ENLIST_PUBLIC_URL`, `ENLIST_WRAPPING_KEY_FILE` or `ENLIST_WRAPPING_KEY`, `ENLIST_CA_KEY_STORE`,
    /// `ENLIST_STATUS_LISTEN`, `ENLIST_STATUS_URL`, `ENLIST_CRL_LIFETIME_H`,
    /// `ENLIST_TLS_CERTIFICATE`, `ENLIST_TLS_KEY`, `ENLIST_MAX_CONNECTIONS`, `ENLIST_TRUSTED_PROXIES`,
    /// `ENLIST_DRAIN_DELAY_S`, `ENLIST_METRICS_LISTEN`, `ENLIST_OTLP_ENDPOINT`, `ENLIST_TRACE_RATIO`,
    /// `ENLIST_LOG_FORMAT`; and for traces what OpenTelemetry calls them.
    /// A systemd credential `wrapping-key` is found by itself.
    ///
    /// # Errors
    /// When a variable is there and can't be used.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        fn parsed<T: std::str::FromStr>(
            name: &'static str,
            value: Option<String>,
        ) -> Result<Option<T>, ConfigError>
        where
            T::Err: std::fmt::Display,
        {
            let problem = |error: T::Err| ConfigError::Variable {
                name,
                problem: error.to_string(),
            };
            value
                .map(|value| value.parse().map_err(problem))
                .transpose()
        }
        let address = |name: &'static str| -> Result<Option<SocketAddr>, ConfigError> {
            let parse = |value: String| value.parse().map_err(|_| not_an_address(name));
            variable(name).map(parse).transpose()
        };
        let path = |name| variable(name).map(PathBuf::from);
        Ok(Self {
            data: path("ENLIST_DATA"),
            listen: address("ENLIST_LISTEN")?,
            database_url: variable("ENLIST_DATABASE_URL").map(SecretString::from),
            public_url: variable("ENLIST_PUBLIC_URL"),
            credentials: path("CREDENTIALS_DIRECTORY"),
            wrapping_key: path("ENLIST_WRAPPING_KEY_FILE"),
            wrapping_key_text: variable("ENLIST_WRAPPING_KEY").map(SecretString::from),
            ca_key_store: variable("ENLIST_CA_KEY_STORE")
                .map(|uri| Pkcs11Spec::for_server(&uri))
                .transpose()
                .map_err(|error| ConfigError::Variable {
                    name: "ENLIST_CA_KEY_STORE",
                    problem: error.to_string(),
                })?,
            status_listen: address("ENLIST_STATUS_LISTEN")?,
            status_url: variable("ENLIST_STATUS_URL"),
            crl_lifetime_h: parsed("ENLIST_CRL_LIFETIME_H", variable("ENLIST_CRL_LIFETIME_H"))?,
            tls_certificate: path("ENLIST_TLS_CERTIFICATE"),
            tls_key: path("ENLIST_TLS_KEY"),
            max_connections: parsed("ENLIST_MAX_CONNECTIONS", variable("ENLIST_MAX_CONNECTIONS"))?,
            trusted_proxies: variable("ENLIST_TRUSTED_PROXIES").map(|list| door::listed(&list)),
            drain_delay_s: parsed("ENLIST_DRAIN_DELAY_S", variable("ENLIST_DRAIN_DELAY_S"))?,
            metrics_listen: address("ENLIST_METRICS_LISTEN")?,
            otlp_endpoint: observe::endpoint(&variable)?,
            trace_ratio: observe::ratio(&variable)?,
            log_format: match variable("ENLIST_LOG_FORMAT").as_deref() {
                None => None,
                Some("text") => Some(LogFormat::Text),
                Some("json") => Some(LogFormat::Json),
                Some(_) => {
                    return Err(ConfigError::Variable {
                        name: "ENLIST_LOG_FORMAT",
                        problem: "use text or json".to_owned(),
                    });
                }
            },
        })
    }

    /// This layer over `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            data: self.data.or(below.data),
            listen: self.listen.or(below.listen),
            database_url: self.database_url.or(below.database_url),
            public_url: self.public_url.or(below.public_url),
            wrapping_key: self.wrapping_key.or(below.wrapping_key),
            wrapping_key_text: self.wrapping_key_text.or(below.wrapping_key_text),
            credentials: self.credentials.or(below.credentials),
            ca_key_store: self.ca_key_store.or(below.ca_key_store),
            status_listen: self.status_listen.or(below.status_listen),
            status_url: self.status_url.or(below.status_url),
            crl_lifetime_h: self.crl_lifetime_h.or(below.crl_lifetime_h),
            tls_certificate: self.tls_certificate.or(below.tls_certificate),
            tls_key: self.tls_key.or(below.tls_key),
            max_connections: self.max_connections.or(below.max_connections),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            drain_delay_s: self.drain_delay_s.or(below.drain_delay_s),
            metrics_listen: self.metrics_listen.or(below.metrics_listen),
            otlp_endpoint: self.otlp_endpoint.or(below.otlp_endpoint),
            trace_ratio: self.trace_ratio.or(below.trace_ratio),
            log_format: self.log_format.or(below.log_format),
        }
    }

    /// Decides what is still open by the defaults, and checks that it fits together.
    ///
    /// # Errors
    /// When it does not.
    pub fn decide(self) -> Result<Settings, ConfigError> {
        use secrecy::ExposeSecret;
        let data = self.data.unwrap_or_else(|| PathBuf::from("enlist-data"));
        let location = match self.database_url {
            None => Location::File(data.clone()),
            Some(url) => {
                let url = url.expose_secret();
                if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
                    return Err(ConfigError::DatabaseUrl);
                }
                Location::Postgres(url.to_owned())
            }
        };
        let certificate = match (self.tls_certificate, self.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => return Err(ConfigError::HalfACertificate),
        };
        let names = self.public_url.as_deref().map(host_of).transpose()?;
        let status = StatusSettings::decide(
            self.status_listen,
            self.status_url,
            self.crl_lifetime_h,
            self.public_url.is_some(),
        )?;
        let observe = ObserveSettings::decide(
            self.metrics_listen,
            self.otlp_endpoint.as_deref(),
            self.trace_ratio,
        )?;
        Ok(Settings {
            observe,
            location,
            wrapping: match self.wrapping_key_text {
                Some(text) => WrappingKeySource::Text(text),
                None => wrapping_file(self.wrapping_key, self.credentials.as_deref()),
            },
            ca_key_store: self.ca_key_store,
            listen: Listen {
                address: self
                    .listen
                    .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8443))),
                names: names.into_iter().collect(),
                certificate,
                max_connections: match self.max_connections {
                    Some(0) => return Err(ConfigError::NoConnections),
                    most => most.unwrap_or(16_384),
                },
                trusted_proxies: door::trusted(&self.trusted_proxies.unwrap_or_default())?,
                drain_delay: door::drain_delay(self.drain_delay_s.unwrap_or_default())?,
                status: None,
            },
            data,
            status,
            public_url: self.public_url,
            log_format: self.log_format.unwrap_or(LogFormat::Text),
        })
    }
}

fn not_an_address(name: &'static str) -> ConfigError {
    ConfigError::Variable {
        name,
        problem: "expected an IP address and a port, such as 127.0.0.1:8443".to_owned(),
    }
}

fn token<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Pkcs11Spec>, D::Error> {
    let uri = String::deserialize(field)?;
    Pkcs11Spec::for_server(&uri)
        .map(Some)
        .map_err(D::Error::custom)
}

/// The file that is named, or else the systemd credential, where the unit has one.
fn wrapping_file(named: Option<PathBuf>, credentials: Option<&Path>) -> WrappingKeySource {
    let credential = credentials.map(|directory| directory.join("wrapping-key"));
    match (named, credential.filter(|path| path.exists())) {
        (Some(path), _) if credentials.is_some_and(|directory| path.starts_with(directory)) => {
            WrappingKeySource::Credential(path)
        }
        (Some(path), _) => WrappingKeySource::File(path),
        (None, Some(path)) => WrappingKeySource::Credential(path),
        (None, None) => WrappingKeySource::DataDir,
    }
}

fn host_of(url: &str) -> Result<ServerName, ConfigError> {
    let uri: axum::http::Uri = url.parse().map_err(|_| ConfigError::PublicUrl)?;
    let host = uri.host().ok_or(ConfigError::PublicUrl)?;
    let is_bare = uri.path() == "/" && uri.query().is_none();
    if uri.scheme_str() != Some("https") || host.is_empty() || !is_bare {
        return Err(ConfigError::PublicUrl);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(match bare.parse() {
        Ok(address) => ServerName::Address(address),
        Err(_) => ServerName::Dns(bare.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Layer, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        std::fs::write(&path, text).unwrap();
        Layer::from_file(&path)
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let below = file("listen = \"127.0.0.1:1\"\ndata = \"there\"").unwrap();
        let above = Layer::from_environment(|name| {
            (name == "ENLIST_LISTEN").then(|| "127.0.0.1:2".to_owned())
        })
        .unwrap();
        let settings = above.over(below).decide().unwrap();
        assert_eq!(settings.listen.address.port(), 2);
        assert_eq!(settings.data, PathBuf::from("there"));
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = file("lisen = \"127.0.0.1:1\"").unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("lisen"), "{cause}");
    }

    #[test]
    fn half_a_certificate_and_a_foreign_database_are_refused() {
        let half = file("tls_key = \"key.pem\"").unwrap().decide();
        assert!(matches!(half, Err(ConfigError::HalfACertificate)));
        let mysql = file("database_url = \"mysql://x\"").unwrap().decide();
        assert!(matches!(mysql, Err(ConfigError::DatabaseUrl)));
        for url in ["http://x", "https://x/enlist", "https://x/?a", "x", ""] {
            let url = file(&format!("public_url = \"{url}\"")).unwrap();
            assert!(matches!(url.decide(), Err(ConfigError::PublicUrl)));
        }
        let slash = file("public_url = \"https://x:1/\"").unwrap().decide();
        assert!(slash.is_ok());
        let nobody = file("max_connections = 0").unwrap().decide();
        assert!(matches!(nobody, Err(ConfigError::NoConnections)));
    }
}
