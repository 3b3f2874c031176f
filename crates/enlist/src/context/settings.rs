//! The context and the environment, put together.

use std::path::Path;

use anyhow::Context as _;
use enlist_core::{ApiToken, Name};
use secrecy::SecretString;

use super::{Context, Contexts};
use crate::failure::refused;
use crate::files;

/// What a command needs to know of its server.
#[derive(Debug)]
pub struct Settings {
    /// The server, `https://host:port`.
    pub server: String,
    /// The installation's root, PEM.
    pub ca_pem: String,
    /// The CA of a server certificate from elsewhere, PEM.
    pub service_ca_pem: Option<String>,
    /// The API token, where there is one.
    pub token: Option<SecretString>,
    /// The tenant that the command is about.
    pub tenant: Name,
}

impl Settings {
    /// Takes `ENLIST_SERVER`, `ENLIST_CA` and `ENLIST_TOKEN` where they are set, and the context
    /// called `context`, or else the current one, for the rest.
    pub fn resolve(context: Option<&Name>, tenant: Option<&Name>) -> anyhow::Result<Self> {
        let server = variable("ENLIST_SERVER")?;
        let ca = variable("ENLIST_CA")?;
        let token_text = variable("ENLIST_TOKEN")?;
        let saved = if server.is_some() && ca.is_some() && context.is_none() {
            None
        } else {
            chosen(context)?
        };
        let own_ca = ca.is_some();
        let ca_pem = match (ca, &saved) {
            (Some(ca), _) => anchors(&ca)?,
            (None, Some(saved)) => saved.ca_pem.clone(),
            (None, None) => return Err(nowhere()),
        };
        let server = match (server, &saved) {
            (Some(server), _) => server_url(&server),
            (None, Some(saved)) => saved.server.clone(),
            (None, None) => return Err(nowhere()),
        };
        let token = match (token_text, &saved) {
            (Some(text), _) => Some(token(&text.into(), "ENLIST_TOKEN")?),
            // A context's token is for its own installation: whoever brings another root is
            // talking to another server, which must not be handed it.
            (None, Some(saved)) if !own_ca => Some(saved.token.clone().into_secret()),
            _ => None,
        };
        let tenant = match (
            tenant,
            saved.as_ref().and_then(|saved| saved.tenant.as_ref()),
        ) {
            (Some(tenant), _) => tenant.clone(),
            (None, Some(saved)) => saved.parse().context("the context's tenant")?,
            (None, None) => "default".parse().context("the default tenant")?,
        };
        let service_ca_pem = saved
            .filter(|_| !own_ca)
            .and_then(|saved| saved.service_ca_pem);
        Ok(Self {
            server,
            ca_pem,
            service_ca_pem,
            token,
            tenant,
        })
    }
}

/// Reads an API token, saying where a bad one came from.
pub fn token(text: &SecretString, source: &str) -> anyhow::Result<SecretString> {
    use secrecy::ExposeSecret;
    let token = ApiToken::parse(text.expose_secret().trim())
        .with_context(|| format!("{source} holds no API token"))?;
    Ok(token.expose().into())
}

/// A server's address, which may be typed without its scheme and with a slash at the end.
pub fn server_url(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    }
}

/// Reads trust anchors from a file, or takes them as they are where they are PEM themselves.
pub fn anchors(file_or_pem: &str) -> anyhow::Result<String> {
    let pem = if file_or_pem.trim_start().starts_with("-----BEGIN") {
        file_or_pem.to_owned()
    } else {
        files::read_needed(Path::new(file_or_pem))?
    };
    let chain = enlist_pki::chain_from_pem(&pem)
        .with_context(|| format!("`{}` holds no CA certificate", first_line(file_or_pem)))?;
    // Only certificates are kept: what else a file of anchors may hold is nobody's business.
    Ok(chain.iter().map(enlist_pki::Certificate::to_pem).collect())
}

fn chosen(context: Option<&Name>) -> anyhow::Result<Option<Context>> {
    let mut contexts = Contexts::load()?;
    let name = match context {
        Some(name) => {
            contexts.named(name.as_str())?;
            Some(name.to_string())
        }
        None => contexts.current.take(),
    };
    Ok(name.and_then(|name| contexts.contexts.remove(&name)))
}

fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{name} can't be read")),
    }
}

fn nowhere() -> anyhow::Error {
    let known = Contexts::load().unwrap_or_default().contexts;
    if !known.is_empty() {
        let known: Vec<_> = known.keys().map(String::as_str).collect();
        return refused(
            "no-server",
            format!(
                "no context is in use: `enlist set context NAME` takes one of {}, and --context for a single command",
                known.join(", ")
            ),
        );
    }
    refused(
        "no-server",
        "no server is known: `enlist login --server URL --ca FILE --token-file FILE` saves one, `enlist quickstart` starts one here, and ENLIST_SERVER, ENLIST_CA and ENLIST_TOKEN name one for a single command",
    )
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_typed_short() {
        assert_eq!(server_url("localhost:8443/"), "https://localhost:8443");
        assert_eq!(server_url("https://a.example"), "https://a.example");
        assert_eq!(
            server_url("http://a.example"),
            "http://a.example",
            "refused later"
        );
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.pem");
        std::fs::write(&path, "nothing").unwrap();
        let error = anchors(path.to_str().unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains("root.pem"), "{error:#}");
    }

    #[test]
    fn a_token_that_is_none_is_not_repeated() {
        let error = token(&"eat_secret".to_owned().into(), "the file").unwrap_err();
        assert!(!format!("{error:#}").contains("eat_secret"));
    }
}
