//! Bodies of EST requests.

use base64ct::{Base64, Encoding as _};
use enlist_wire::est::request_der;

/// Reads the body of an EST request. The bytes in it are the same when they are written again in one
/// line or many, and no more than base64 makes of so long a text.
///
/// # Panics
/// When they are not.
pub fn est_body(data: &[u8]) -> bool {
    let Some(der) = request_der(data) else {
        return false;
    };
    assert!(!der.is_empty() && der.len() * 4 <= data.len() * 3);
    let line = Base64::encode_string(&der);
    assert_eq!(request_der(line.as_bytes()).as_ref(), Some(&der));
    let lines: Vec<_> = line.as_bytes().chunks(64).collect();
    assert_eq!(request_der(&lines.join(&b"\r\n"[..])).as_ref(), Some(&der));
    true
}
