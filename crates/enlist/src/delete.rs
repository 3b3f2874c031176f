//! `enlist delete …`.

use enlist_core::Name;
use enlist_wire::{Client, Secret, SecretState, Uuid};

use crate::cli::Global;
use crate::context::Contexts;
use crate::failure::refused;
use crate::group_arg::{DeviceArg, GroupArg};
use crate::say::say;

/// Delete something, or take it back
#[derive(Debug, clap::Args)]
pub struct Delete {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    /// Delete a device; one that was ever enrolled leaves a tombstone, and its certificates are revoked
    #[command(after_help = DEVICE_EXAMPLES)]
    Device(DeviceArg),
    /// Delete a group that has no devices left
    #[command(after_help = GROUP_EXAMPLES)]
    Group {
        /// The group
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Take back a provisioning secret; devices that enrolled with it stay enrolled
    #[command(after_help = SECRET_EXAMPLES)]
    Secret {
        #[command(flatten)]
        group: GroupArg,
        /// Its id, its short id (what stands after `eps_`), or its label where only one has it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Take back an API token
    #[command(after_help = TOKEN_EXAMPLES)]
    Token {
        /// Its id, its short id (what stands after `eat_`), or its label where only one has it
        #[arg(value_name = "ID")]
        id: String,
        /// It is one of the whole installation, not of a tenant
        #[arg(long, conflicts_with = "tenant")]
        installation: bool,
    },
    /// Delete a webhook, and what waits for it; it is told nothing more
    #[command(after_help = WEBHOOK_EXAMPLES)]
    Webhook {
        /// The webhook
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Take a group's hook away: its enrollment policy alone decides then
    #[command(after_help = HOOK_EXAMPLES)]
    Hook(GroupArg),
    /// Delete a manifest that bounds neither a secret nor a group; devices that it let in stay in
    #[command(after_help = MANIFEST_EXAMPLES)]
    Manifest {
        /// The manifest
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Believe a manufacturer no longer; devices that came in by it stay in
    #[command(after_help = MANUFACTURER_EXAMPLES)]
    Manufacturer {
        /// The manufacturer
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Forget a saved context, its token with it; the token itself stays good
    #[command(after_help = CONTEXT_EXAMPLES)]
    Context {
        /// The context
        #[arg(value_name = "NAME")]
        name: Name,
    },
}

const DEVICE_EXAMPLES: &str = "Examples:\n  enlist delete device test-device-123 -g room2-lights";
const GROUP_EXAMPLES: &str = "Examples:\n  enlist delete group room2-lights";
const SECRET_EXAMPLES: &str = "\
Examples:
  enlist delete secret -g room2-lights line-4
  enlist delete secret -g room2-lights abcdefgh23";
const TOKEN_EXAMPLES: &str = "\
Examples:
  enlist delete token dashboard
  enlist delete token backup-admin --installation
  enlist delete token 0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10";
const WEBHOOK_EXAMPLES: &str = "Examples:\n  enlist delete webhook erp";
const HOOK_EXAMPLES: &str = "Examples:\n  enlist delete hook -g field-units";
const MANIFEST_EXAMPLES: &str = "Examples:\n  enlist delete manifest batch-7";
const MANUFACTURER_EXAMPLES: &str = "Examples:\n  enlist delete manufacturer acme";
const CONTEXT_EXAMPLES: &str = "Examples:\n  enlist delete context plant-b";

impl Delete {
    /// Deletes it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        if let Noun::Context { name } = &self.noun {
            return forget(name);
        }
        let (client, tenant) = global.connect()?;
        let tenant = tenant.as_str();
        match self.noun {
            Noun::Device(DeviceArg { name, group }) => {
                client.delete_device(tenant, group.group.as_str(), name.as_str())?;
                say!("Device `{name}` is deleted.");
            }
            Noun::Group { name } => {
                client.delete_group(tenant, name.as_str())?;
                say!("Group `{name}` is deleted.");
            }
            Noun::Secret { group, id } => {
                let group = group.group.as_str();
                let id = secret_id(&client, tenant, group, &id)?;
                client.delete_secret(tenant, group, id)?;
                say!("Provisioning secret {id} is taken back.");
            }
            Noun::Token { id, installation } => {
                let id = token_id(&client, (!installation).then_some(tenant), &id)?;
                match installation {
                    true => client.delete_installation_token(id)?,
                    false => client.delete_token(tenant, id)?,
                }
                say!("API token {id} is taken back.");
            }
            Noun::Webhook { name } => {
                client.delete_webhook(tenant, name.as_str())?;
                say!("Webhook `{name}` is deleted.");
            }
            Noun::Hook(GroupArg { group }) => {
                client.delete_hook(tenant, group.as_str())?;
                say!("The hook of group `{group}` is asked no longer.");
            }
            Noun::Manifest { name } => {
                client.delete_manifest(tenant, name.as_str())?;
                say!("Manifest `{name}` is deleted.");
            }
            Noun::Manufacturer { name } => {
                client.delete_manufacturer(tenant, name.as_str())?;
                say!("Manufacturer `{name}` is believed no longer.");
            }
            Noun::Context { .. } => {}
        }
        Ok(())
    }
}

fn forget(name: &Name) -> anyhow::Result<()> {
    let mut contexts = Contexts::load()?;
    contexts.named(name.as_str())?;
    contexts.contexts.remove(name.as_str());
    if contexts.current.as_deref() == Some(name.as_str()) {
        contexts.current = None;
    }
    contexts.save()?;
    say!("Context `{name}` is forgotten.");
    Ok(())
}

fn secret_id(client: &Client, tenant: &str, group: &str, text: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let secrets = client.secrets(tenant, group)?.items.into_iter();
    let called = secrets.filter(|secret| secret.short_id == text || secret.label == text);
    let called: Vec<_> = called.collect();
    // One that has expired, or was taken back, is meant only where there is no better one.
    let worth = |secret: &&Secret| match secret.state {
        SecretState::Revoked => 2,
        SecretState::Expired => 1,
        SecretState::Active | SecretState::UsedUp | SecretState::RateReached => 0,
    };
    let best = called.iter().map(|secret| worth(&secret)).min();
    let meant = called.iter().filter(|secret| Some(worth(secret)) == best);
    let found = meant.map(|secret| secret.secret_id);
    the_only(found, text, "secret", "enlist get secrets")
}

fn token_id(client: &Client, tenant: Option<&str>, text: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let tokens = match tenant {
        Some(tenant) => client.tokens(tenant)?,
        None => client.installation_tokens()?,
    };
    let tokens = tokens.items.into_iter();
    let found = tokens
        .filter(|token| token.short_id == text || token.label == text)
        .map(|token| token.token_id);
    the_only(found, text, "token", "enlist get tokens")
}

fn the_only(
    found: impl Iterator<Item = Uuid>,
    text: &str,
    noun: &str,
    list: &str,
) -> anyhow::Result<Uuid> {
    let found: Vec<_> = found.take(2).collect();
    match found[..] {
        [id] => Ok(id),
        [] => Err(refused(
            "not-found",
            format!("no {noun} has the id or label `{text}`; `{list}` shows what is there"),
        )),
        _ => Err(refused(
            "ambiguous",
            format!(
                "more than one {noun} is called `{text}`; name it by its id, which `{list}` shows"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_two_have_names_neither() {
        let id = Uuid::nil();
        assert_eq!(
            the_only([id].into_iter(), "x", "secret", "list").unwrap(),
            id
        );
        for found in [vec![], vec![id, id]] {
            assert!(the_only(found.into_iter(), "x", "secret", "list").is_err());
        }
    }
}
