//! What no hardware ever says of itself.

use uuid::Uuid;

use super::{HardwareIdentity, HardwareKind};
use crate::Name;

impl HardwareIdentity {
    /// Why no device will ever say this of itself, where that can be seen: for lists that people write of
    /// devices to come. What a device itself says is taken as it says it.
    pub fn flaw(&self) -> Option<&'static str> {
        let value = self.value();
        let (is_right, flaw) = match self.kind() {
            HardwareKind::Mac => (
                is_mac(value),
                "a mac is 12 hexadecimal digits (16 for an EUI-64), with colons, dashes, dots or nothing between them",
            ),
            HardwareKind::Uuid => (
                Uuid::try_parse(value).is_ok(),
                "a uuid is 32 hexadecimal digits, with dashes between them or without",
            ),
            HardwareKind::Machine | HardwareKind::Random => (
                is_hex(value, 32),
                "a machine or random identity is 32 hexadecimal digits in lowercase, as `enlist-agent identity` shows it",
            ),
            HardwareKind::TpmEk => (
                is_hex(value, 64),
                "a tpm-ek is the SHA-256 of the key's SubjectPublicKeyInfo: 64 hexadecimal digits",
            ),
            HardwareKind::Idevid => (
                is_idevid(value),
                "an idevid is the name that the manufacturer is imported under, a slash and the serial number, such as acme/SN-4711; bytes that are not printable ASCII, blanks at the ends and percent signs are written as % and two hexadecimal digits in lowercase",
            ),
            HardwareKind::Serial | HardwareKind::Soc | HardwareKind::Named => return None,
        };
        (!is_right).then_some(flaw)
    }
}

/// As [`HardwareIdentity::new`] writes one.
fn is_mac(value: &str) -> bool {
    matches!(value.len(), 17 | 23) && value.split(':').all(|pair| is_hex(pair, 2))
}

fn is_hex(value: &str, digits: usize) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    value.len() == digits && value.bytes().all(is_digit)
}

fn is_idevid(value: &str) -> bool {
    let Some((manufacturer, serial)) = value.split_once('/') else {
        return false;
    };
    let escape = |rest: &str| rest.get(..2).is_some_and(|digits| is_hex(digits, 2));
    manufacturer.parse::<Name>().is_ok()
        && !serial.is_empty()
        && !serial.starts_with(' ')
        && serial.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && serial.split('%').skip(1).all(escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &str) -> Option<&'static str> {
        text.parse::<HardwareIdentity>().unwrap().flaw()
    }

    #[test]
    fn what_hardware_says_is_without_flaw_however_it_is_written() {
        for right in [
            "mac:00-1A-2B-3C-4D-5E",
            "mac:001a.2b3c.4d5e",
            "mac:001A2B3C4D5E",
            "mac:00:1a:2b:ff:fe:3c:4d:5e",
            "uuid:4C4C4544-0046-3510-8058-B4C04F4A3033",
            "uuid:4c4c4544004635108058b4c04f4a3033",
            "machine:8b1a9953c4611296a827abf8c47804d7",
            "random:8b1a9953c4611296a827abf8c47804d7",
            "serial:mac:zz",
            "soc:0x1f2e",
            "named:anything at all",
            "idevid:acme/%00 7",
        ] {
            assert_eq!(flaw(right), None, "{right}");
        }
    }

    #[test]
    fn what_no_hardware_says_has_a_flaw() {
        for (wrong, why) in [
            ("mac:zz", "a mac is"),
            ("mac:0:1:2:3:4:5", "a mac is"),
            ("mac:00:11:22:33:44", "a mac is"),
            ("mac:gg:11:22:33:44:55", "a mac is"),
            ("mac:00112233445566", "a mac is"),
            ("uuid:not-a-uuid", "a uuid is"),
            ("machine:dev-box", "a machine or random"),
            (
                "random:8B1A9953C4611296A827ABF8C47804D7",
                "a machine or random",
            ),
            ("tpm-ek:ab12", "a tpm-ek is"),
            ("idevid:SN-1", "an idevid is"),
            ("idevid:acme/%f", "an idevid is"),
        ] {
            let flaw = flaw(wrong).unwrap_or_default();
            assert!(flaw.starts_with(why), "{wrong}: {flaw}");
        }
    }
}
