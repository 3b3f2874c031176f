//! Between what people type and read, and what goes over the wire.

use std::fmt::Write;
use std::net::SocketAddr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use enlist_core::HardwareIdentity;
use enlist_wire::Hardware;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

/// A parser for arguments that takes the words of one of the wire's enums.
pub fn one_of<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| {
        let word: StrDeserializer<'_, Error> = word.as_str().into_deserializer();
        T::deserialize(word)
    })
}

/// A parser for arguments that takes an address and a port.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8443".to_owned())
}

/// The word that the wire has for a value of an enum.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A hardware identity as the wire has it.
pub fn claimed(identity: &HardwareIdentity) -> Hardware {
    use enlist_core::HardwareKind as Core;
    use enlist_wire::HardwareKind as Wire;
    let kind = match identity.kind() {
        Core::Serial => Wire::Serial,
        Core::Uuid => Wire::Uuid,
        Core::Soc => Wire::Soc,
        Core::Mac => Wire::Mac,
        Core::Machine => Wire::Machine,
        Core::Random => Wire::Random,
        Core::Named => Wire::Named,
        Core::TpmEk => Wire::TpmEk,
        Core::Idevid => Wire::Idevid,
    };
    Hardware {
        kind,
        value: identity.value().to_owned(),
    }
}

/// What a table says of something that is so or not.
pub fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// Text that came from elsewhere, made fit for a terminal: control characters are shown, not obeyed.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use enlist_wire::{DeviceState, Enrollment};

    use super::*;

    #[test]
    fn words_are_those_of_the_wire() {
        assert_eq!(word(&Enrollment::Approve), "approve");
        let parser = one_of::<DeviceState>(&["created", "active"]);
        let command = clap::Command::new("x").arg(clap::Arg::new("state").value_parser(parser));
        let matches = command.try_get_matches_from(["x", "active"]).unwrap();
        assert_eq!(
            matches.get_one::<DeviceState>("state"),
            Some(&DeviceState::Active)
        );
    }

    #[test]
    fn a_terminal_is_not_steered_by_what_is_shown() {
        assert_eq!(shown("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
