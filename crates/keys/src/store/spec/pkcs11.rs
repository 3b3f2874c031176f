//! `pkcs11:`, a URI of RFC 7512.

use std::path::PathBuf;

use super::BadSpec;

/// A PKCS#11 token and how to log into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Spec {
    /// The module: a shared library of the token's maker.
    pub module: PathBuf,
    /// The token's label, if it is found by that.
    pub token: Option<String>,
    /// The token's serial number, if it is found by that.
    pub serial: Option<String>,
    /// The label of our keys in it. Keys under this label belong to this program alone, and
    /// `sweep` removes those that nobody knows.
    pub label: String,
    /// Where the user's PIN comes from.
    pub pin: PinSource,
}

/// Where a token's PIN comes from. Never the configuration itself, which is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// The first line of a file of the owner's alone.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A systemd credential of this name.
    Credential(String),
}

impl Default for PinSource {
    fn default() -> Self {
        Self::Credential("enlist-token-pin".into())
    }
}

impl Pkcs11Spec {
    /// Reads the URI of the token that a server keeps its CAs' keys in, with `pkcs11:` before it, as
    /// [`super::StoreSpec::parse`] does; but where it names no `object`, the keys are labelled
    /// `enlist CA key`.
    ///
    /// # Errors
    /// Says what is wrong, and what to write instead.
    pub fn for_server(text: &str) -> Result<Self, BadSpec> {
        let rest = text
            .strip_prefix("pkcs11:")
            .ok_or_else(|| bad("this is no PKCS#11 URI".into()))?;
        Self::labelled(rest, "enlist CA key")
    }

    pub(super) fn parse(text: &str) -> Result<Self, BadSpec> {
        Self::labelled(text, LABEL)
    }

    fn labelled(text: &str, otherwise: &str) -> Result<Self, BadSpec> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let parts = path.split(';').chain(query.split('&'));
        let (mut module, mut token, mut serial) = (None, None, None);
        let (mut label, mut pin) = (None, None);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(value) = decoded(value).filter(|value| !value.is_empty()) else {
                return Err(bad(format!("`{name}` has no value, or not a readable one")));
            };
            let field = match name {
                "module-path" if value.starts_with('/') => &mut module,
                "module-path" => return Err(bad(format!("`{value}` is no absolute path"))),
                "token" => &mut token,
                "serial" => &mut serial,
                "object" => &mut label,
                "pin-source" => &mut pin,
                "pin-value" => {
                    return Err(bad("a PIN does not stand in a configuration".into()));
                }
                other => return Err(bad(format!("`{other}` is not known"))),
            };
            if field.replace(value).is_some() {
                return Err(bad(format!("`{name}` stands there twice")));
            }
        }
        if token.is_none() && serial.is_none() {
            return Err(bad("neither `token` nor `serial` says which token".into()));
        }
        let module = module.ok_or_else(|| bad("`module-path` is missing".into()))?;
        Ok(Self {
            module: module.into(),
            token,
            serial,
            label: label.unwrap_or_else(|| otherwise.to_owned()),
            pin: pin.map_or(Ok(PinSource::default()), |pin| pin_source(&pin))?,
        })
    }
}

/// What our keys are called where nothing else is asked for.
const LABEL: &str = "enlist device key";

fn pin_source(text: &str) -> Result<PinSource, BadSpec> {
    let file = |path: &str| {
        let path = path.strip_prefix("//").unwrap_or(path);
        path.starts_with('/').then(|| PinSource::File(path.into()))
    };
    let plain = |name: &str| !name.is_empty() && !name.contains(['/', '\0', '=']);
    match text.split_once(':') {
        None => file(text),
        Some(("file", path)) => file(path),
        Some(("env", name)) if plain(name) => Some(PinSource::Environment(name.into())),
        Some(("credential", name)) if plain(name) => Some(PinSource::Credential(name.into())),
        Some(_) => None,
    }
    .ok_or_else(|| bad(format!("no PIN comes from `{text}`")))
}

fn bad(problem: String) -> BadSpec {
    BadSpec::new(
        problem,
        "write `pkcs11:token=LABEL?module-path=/path/of/module.so&pin-source=file:/path/of/pin`; \
         the PIN may also come from env:NAME or credential:NAME",
    )
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        // `from_str_radix` alone would take a sign.
        let digits = str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::super::StoreSpec;
    use super::*;

    #[test]
    fn a_token_is_named_as_rfc_7512_has_it() {
        let text = "pkcs11:token=my%20device;serial=0a?module-path=/usr/lib/p11.so\
                    &pin-source=file:/etc/enlist/pin";
        let Ok(StoreSpec::Pkcs11(spec)) = StoreSpec::parse(text) else {
            panic!("{text}");
        };
        assert_eq!(spec.module, PathBuf::from("/usr/lib/p11.so"));
        assert_eq!(spec.token.as_deref(), Some("my device"));
        assert_eq!(spec.serial.as_deref(), Some("0a"));
        assert_eq!(spec.label, "enlist device key");
        assert_eq!(spec.pin, PinSource::File("/etc/enlist/pin".into()));
        let pin = |source: &str| {
            let text = format!("pkcs11:module-path=/m.so;token=t?pin-source={source}");
            StoreSpec::parse(&text).map(|spec| match spec {
                StoreSpec::Pkcs11(spec) => spec.pin,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(pin("/pin"), Ok(PinSource::File("/pin".into())));
        assert_eq!(pin("file:///pin"), Ok(PinSource::File("/pin".into())));
        assert_eq!(pin("env:PIN"), Ok(PinSource::Environment("PIN".into())));
        assert_eq!(
            pin("credential:pin"),
            Ok(PinSource::Credential("pin".into()))
        );
        for wrong in [
            "%7Ccat",
            "file:pin",
            "credential:../pin",
            "https://pin",
            "%zz",
            "%+1",
            "%2",
        ] {
            assert!(pin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_keys_of_a_server_have_a_label_of_their_own() {
        let text = "pkcs11:token=ca?module-path=/m.so";
        let spec = Pkcs11Spec::for_server(text).unwrap();
        assert_eq!(spec.label, "enlist CA key");
        let named = text.replace('?', ";object=ours?");
        assert_eq!(Pkcs11Spec::for_server(&named).unwrap().label, "ours");
        assert!(Pkcs11Spec::for_server("file").is_err());
    }

    #[test]
    fn what_is_missing_or_does_not_belong_is_named() {
        for (text, says) in [
            ("pkcs11:", "neither `token` nor `serial`"),
            ("pkcs11:token=a", "`module-path` is missing"),
            ("pkcs11:token=a;token=b", "twice"),
            ("pkcs11:module-path=p11.so;token=a", "no absolute path"),
            ("pkcs11:token=a?pin-value=1234", "does not stand in"),
            ("pkcs11:token=a;colour=red", "`colour` is not known"),
            ("pkcs11:token=%00", "`token` has no value"),
        ] {
            let error = StoreSpec::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("1234"));
        }
    }
}
