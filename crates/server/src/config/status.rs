//! Where and how the world learns of revocations.

use std::net::SocketAddr;
use std::time::Duration;

use enlist_ops::StatusConfig;

use super::{ConfigError, Settings};
use crate::StatusDoor;

/// How long a revocation list may be relied on, in hours.
const DEFAULT_LIFETIME_H: u64 = 168;
/// At most a year.
const LONGEST_LIFETIME_H: u64 = 8784;

/// Where and how the world learns of revocations, as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSettings {
    /// Where the plain HTTP door listens, if there is one.
    pub listen: Option<SocketAddr>,
    /// The URL that certificates point to, where one was given.
    pub url: Option<String>,
    /// How long a revocation list may be relied on.
    pub crl_lifetime: Duration,
}

impl StatusSettings {
    /// Checks that it fits together.
    pub(super) fn decide(
        listen: Option<SocketAddr>,
        url: Option<String>,
        crl_lifetime_h: Option<u64>,
        has_public_url: bool,
    ) -> Result<Self, ConfigError> {
        if let Some(url) = &url {
            let uri: axum::http::Uri = url.parse().map_err(|_| ConfigError::StatusUrl)?;
            let has_host = uri.host().is_some_and(|host| !host.is_empty());
            if uri.scheme_str() != Some("http") || !has_host || uri.query().is_some() {
                return Err(ConfigError::StatusUrl);
            }
        }
        let everywhere = listen.is_some_and(|address| address.ip().is_unspecified());
        if everywhere && url.is_none() && !has_public_url {
            return Err(ConfigError::NoStatusUrl);
        }
        let lifetime_h = crl_lifetime_h.unwrap_or(DEFAULT_LIFETIME_H);
        if !(2..=LONGEST_LIFETIME_H).contains(&lifetime_h) {
            return Err(ConfigError::CrlLifetime);
        }
        Ok(Self {
            listen,
            url,
            crl_lifetime: Duration::from_secs(lifetime_h * 3600),
        })
    }
}

impl Settings {
    /// What this comes to with the door that was opened: without a URL of their own, certificates point to
    /// the door, under the host of the public URL or else its address.
    pub fn status_config(&self, door: Option<&StatusDoor>) -> StatusConfig {
        let url = self.status.url.clone().or_else(|| {
            let address = door?.address();
            let public: Option<axum::http::Uri> =
                self.public_url.as_deref().and_then(|url| url.parse().ok());
            let host = public.as_ref().and_then(|uri| uri.host());
            Some(match host {
                Some(host) => format!("http://{host}:{}", address.port()),
                None => format!("http://{address}"),
            })
        });
        StatusConfig {
            url,
            crl_lifetime: self.status.crl_lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    fn decided(listen: &str, status_url: Option<&str>, public_url: Option<&str>) -> StatusConfig {
        let settings = Layer {
            status_listen: Some(listen.parse().unwrap()),
            status_url: status_url.map(ToOwned::to_owned),
            public_url: public_url.map(ToOwned::to_owned),
            ..Layer::default()
        };
        let settings = settings.decide().unwrap();
        let door = StatusDoor::bind(settings.status.listen.unwrap()).unwrap();
        let config = settings.status_config(Some(&door));
        let port = format!(":{}", door.address().port());
        StatusConfig {
            url: config.url.map(|url| url.replace(&port, ":PORT")),
            ..config
        }
    }

    #[test]
    fn certificates_point_to_the_door_or_to_what_stands_before_it() {
        let url = |listen, status, public| decided(listen, status, public).url.unwrap();
        assert_eq!(url("127.0.0.1:0", None, None), "http://127.0.0.1:PORT");
        let public = Some("https://enlist.example.com:8443");
        assert_eq!(
            url("0.0.0.0:0", None, public),
            "http://enlist.example.com:PORT"
        );
        let status = Some("http://pki.example.com");
        assert_eq!(url("0.0.0.0:0", status, public), "http://pki.example.com");
        let nothing = Layer::default().decide().unwrap();
        assert_eq!(nothing.status_config(None).url, None);
    }

    #[test]
    fn what_no_certificate_could_point_to_is_refused() {
        let decide = |layer: Layer| layer.decide().unwrap_err();
        let everywhere = Layer {
            status_listen: Some("0.0.0.0:8080".parse().unwrap()),
            ..Layer::default()
        };
        assert!(matches!(decide(everywhere), ConfigError::NoStatusUrl));
        for url in ["https://a.example", "a.example", "http://", "http://a/?b"] {
            let layer = Layer {
                status_url: Some(url.to_owned()),
                ..Layer::default()
            };
            assert!(matches!(decide(layer), ConfigError::StatusUrl), "{url}");
        }
        let never = Layer {
            crl_lifetime_h: Some(0),
            ..Layer::default()
        };
        assert!(matches!(decide(never), ConfigError::CrlLifetime));
    }
}
