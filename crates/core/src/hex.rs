//! Bytes as people and other programs read them.

use std::fmt::Write as _;

/// Bytes in lowercase hexadecimal, two digits each, without a separator.
pub fn lower_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_each() {
        assert_eq!(lower_hex(&[0, 10, 255]), "000aff");
        assert_eq!(lower_hex(&[]), "");
    }
}
