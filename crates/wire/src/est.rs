//! What clients of EST send (RFC 8951 section 3).

use base64ct::{Base64, Encoding};

/// The bytes of the request in a body that is to be base64. Line ends and blanks, wherever they are, and
/// the armour that `openssl req` puts around it are passed over. `None` where there is nothing, or
/// something else.
pub fn request_der(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?.trim_ascii();
    let text = match text.strip_prefix("-----BEGIN ") {
        None => text,
        Some(armoured) => {
            let (label, rest) = armoured.split_once("-----")?;
            let (inner, end) = rest.split_once("-----END ")?;
            let fits = label.ends_with("CERTIFICATE REQUEST") && end == format!("{label}-----");
            fits.then_some(inner)?
        }
    };
    let is_blank = |c: char| c.is_ascii_whitespace();
    if text.contains(is_blank) {
        Base64::decode_vec(&text.replace(is_blank, "")).ok()
    } else {
        Base64::decode_vec(text).ok()
    }
    .filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_in_any_lines_and_in_armour() {
        for text in [
            "AQIDBA==",
            "AQID\r\nBA==\r\n",
            "\n AQ ID\tBA==",
            "-----BEGIN CERTIFICATE REQUEST-----\nAQIDBA==\n-----END CERTIFICATE REQUEST-----\n",
            "-----BEGIN NEW CERTIFICATE REQUEST-----\r\nAQID\r\nBA==\r\n-----END NEW CERTIFICATE REQUEST-----",
        ] {
            assert_eq!(
                request_der(text.as_bytes()),
                Some(vec![1, 2, 3, 4]),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_base64_of_one_request_is_refused() {
        for text in [
            &b""[..],
            b"\n",
            b"AQIDBA",
            b"AQID=BA=",
            b"\x30\x82\x01\x00",
            b"-----BEGIN CERTIFICATE-----\nAQIDBA==\n-----END CERTIFICATE-----",
            b"-----BEGIN CERTIFICATE REQUEST-----\nAQIDBA==",
            b"-----BEGIN CERTIFICATE REQUEST-----\nAQIDBA==\n-----END CERTIFICATE REQUEST-----\nAQID",
        ] {
            assert_eq!(request_der(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
