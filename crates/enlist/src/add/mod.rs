//! `enlist add …`: one noun a file.

mod ca;
mod device;
mod devices;
mod group;
mod hook;
mod root;
mod secret;
mod tenant;
mod token;
mod webhook;

pub use device::label;

use crate::cli::Global;

/// Create something
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Tenant(tenant::AddTenant),
    Group(Box<group::AddGroup>),
    Hook(hook::AddHook),
    Device(device::AddDevice),
    Devices(devices::AddDevices),
    Root(root::AddRoot),
    Ca(ca::AddCa),
    Secret(secret::AddSecret),
    Token(token::AddToken),
    Webhook(webhook::AddWebhook),
}

impl Add {
    /// Creates it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Tenant(noun) => noun.run(global),
            Noun::Group(noun) => noun.run(global),
            Noun::Hook(noun) => noun.run(global),
            Noun::Device(noun) => noun.run(global),
            Noun::Devices(noun) => noun.run(global),
            Noun::Root(noun) => noun.run(global),
            Noun::Ca(noun) => noun.run(global),
            Noun::Secret(noun) => noun.run(global),
            Noun::Token(noun) => noun.run(global),
            Noun::Webhook(noun) => noun.run(global),
        }
    }
}
