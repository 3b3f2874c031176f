//! What clients are sent: base64, and certificates in PKCS#7.

use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Encoding};
use enlist_ops::Error;
use enlist_pki::{Certificate, cms};

use super::refusal::EstRefusal;

/// Of one certificate that was issued.
pub(super) const CERTS_ONLY: &str = "application/pkcs7-mime; smime-type=certs-only";

const TRANSFER_ENCODING: HeaderName = HeaderName::from_static("content-transfer-encoding");
/// Characters a line, as MIME has it.
const LINE: usize = 76;

/// How a client wants its base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// In one line, which is what RFC 8951 has, and all that strongSwan 5.9 reads.
    One,
    /// In lines of 76 characters, without which libest reads nothing.
    Wrapped,
}

impl Lines {
    /// As the client that says so of itself wants it.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let agent = headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let is_libest =
            |agent: &str| agent.contains("Cisco EST client") || agent.contains("libest");
        if agent.is_some_and(is_libest) {
            Self::Wrapped
        } else {
            Self::One
        }
    }

    /// `bytes` in base64.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        let mut text = Base64::encode_string(bytes);
        if self == Self::One {
            return text;
        }
        let mut wrapped = String::with_capacity(text.len() + text.len() / LINE + 1);
        while text.len() > LINE {
            let rest = text.split_off(LINE);
            wrapped.push_str(&text);
            wrapped.push('\n');
            text = rest;
        }
        wrapped.push_str(&text);
        wrapped.push('\n');
        wrapped
    }
}

/// `bytes` in base64, of this type.
pub(super) fn base64(headers: &HeaderMap, content_type: &'static str, bytes: &[u8]) -> Response {
    let lines = Lines::of(headers);
    let mut response = lines.encode(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if lines == Lines::Wrapped {
        // Of no meaning since RFC 8951, but from before it.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("base64"));
    }
    response
}

/// A certs-only PKCS#7.
pub(super) fn certs_only(certificates: &[&Certificate]) -> Result<Vec<u8>, EstRefusal> {
    cms::certs_only(certificates).map_err(|error| Error::Signing(Box::new(error)).into())
}

/// The same of a certificate that is on record.
pub(super) fn issued(der: &[u8]) -> Result<Vec<u8>, EstRefusal> {
    let certificate = Certificate::from_der(der)
        .map_err(|_| Error::Inconsistent("a certificate on record that does not read"))?;
    certs_only(&[&certificate])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libest_is_known_by_what_it_says_of_itself() {
        let lines = |agent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, HeaderValue::from_static(agent));
            Lines::of(&headers)
        };
        assert_eq!(lines("Cisco EST client 2.0 with BRSKI"), Lines::Wrapped);
        assert_eq!(lines("curl/7.88.1"), Lines::One);
        assert_eq!(Lines::of(&HeaderMap::new()), Lines::One);
    }

    #[test]
    fn wrapped_lines_are_76_characters_long() {
        let bytes: Vec<u8> = (0..=255).collect();
        let one = Lines::One.encode(&bytes);
        let wrapped = Lines::Wrapped.encode(&bytes);
        assert!(!one.contains('\n'));
        assert_eq!(wrapped.replace('\n', ""), one);
        let lines: Vec<_> = wrapped.lines().map(str::len).collect();
        assert_eq!(lines, [76, 76, 76, 76, 40]);
        assert_eq!(Lines::Wrapped.encode(&[7; 57]).lines().count(), 1);
    }
}
