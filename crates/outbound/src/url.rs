//! Where a URL points.

use hyper::Uri;
use rustls_pki_types::ServerName;

use crate::CallError;

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2048;

/// A URL that can be called.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Name or address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As the Host header has it.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) path: Uri,
    /// What the certificate has to name.
    pub(crate) name: ServerName<'static>,
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self, CallError> {
        let bad = |problem| CallError::Url {
            url: url.chars().take(100).collect(),
            problem,
        };
        if url.len() > LONGEST {
            return Err(bad("it is longer than 2048 bytes"));
        }
        if url.contains('#') {
            return Err(bad("leave out what follows the `#`"));
        }
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        if uri.scheme_str() != Some("https") {
            return Err(bad("it has to begin with https://"));
        }
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("leave out user name and password"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let rest = authority.as_str().strip_prefix(authority.host());
        let port = match rest.and_then(|rest| rest.strip_prefix(':')) {
            Some(port) => port.parse().map_err(|_| bad("there is no such port"))?,
            None => 443,
        };
        if port == 0 {
            return Err(bad("there is no such port"));
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| bad("its host is no name"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            name,
            port,
            authority: authority.to_string(),
            path: path.parse().map_err(|_| bad("its path is none"))?,
            host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_url_is_taken_apart() {
        let place = Place::parse("https://hooks.example.com/a/b?c=d").unwrap();
        assert_eq!(
            (place.host.as_str(), place.port),
            ("hooks.example.com", 443)
        );
        assert_eq!(place.path.to_string(), "/a/b?c=d");
        let place = Place::parse("https://[::1]:8443").unwrap();
        assert_eq!((place.host.as_str(), place.port), ("::1", 8443));
        assert_eq!(place.authority, "[::1]:8443");
        assert_eq!(place.path.to_string(), "/");
    }

    #[test]
    fn anything_else_is_refused_with_a_word_why() {
        for url in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            "https://user:pass@hooks.example.com/",
            "https://hooks.example.com:0/",
            "https://hooks.example.com:99999/",
            "https://hooks.example.com:/",
            "https://hooks example.com/",
            "https://hooks.example.com/#part",
            "https://hooks_\u{e9}.example.com/",
            "https://hooks.example.com/\r\nX: y",
            "/path",
        ] {
            assert!(
                matches!(Place::parse(url), Err(CallError::Url { .. })),
                "{url}"
            );
        }
        let long = format!("https://hooks.example.com/{}", "a".repeat(LONGEST));
        assert!(Place::parse(&long).is_err());
    }
}
