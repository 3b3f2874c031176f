//! The context that the commands after a quickstart use.

use anyhow::Context as _;

use crate::context::{Context, Contexts, Settings};
use crate::say::say;

/// What the context is called.
pub const NAME: &str = "quickstart";

/// Whether commands find the server by themselves, or have to name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The context is the current one.
    Current,
    /// Another context is, and stays so.
    Named,
    /// No context could be saved; the environment has to name the server.
    Environment,
}

/// Saves the context. One that the user has made stays the current one, and a home that can't be
/// written is no reason to go without a server.
pub fn save(settings: &Settings) -> Reach {
    saved(settings).unwrap_or_else(|error| {
        say!("No context is saved: {error:#}.");
        Reach::Environment
    })
}

fn saved(settings: &Settings) -> anyhow::Result<Reach> {
    let mut contexts = Contexts::load()?;
    let token = settings.token.clone().context("the token was read")?;
    let context = Context {
        server: settings.server.clone(),
        ca_pem: settings.ca_pem.clone(),
        service_ca_pem: None,
        token: token.into(),
        tenant: None,
    };
    contexts.contexts.insert(NAME.to_owned(), context);
    let own = contexts.current.as_deref().is_none_or(|name| name == NAME);
    if own {
        contexts.current = Some(NAME.to_owned());
    }
    contexts.save()?;
    if own {
        say!("An administrator's context is saved as `{NAME}`, and is the current one.");
        return Ok(Reach::Current);
    }
    say!(
        "An administrator's context is saved as `{NAME}`; `{}` stays the current one.",
        contexts.current.as_deref().unwrap_or_default()
    );
    Ok(Reach::Named)
}
