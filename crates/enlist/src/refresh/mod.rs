//! `enlist refresh …`.

mod certificate;
mod hook;
mod journal;
mod provision_secret;
mod token;
mod webhook;

pub use journal::Journal;

use crate::cli::Global;

/// Replace something by a newer one
#[derive(Debug, clap::Args)]
pub struct Refresh {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    ProvisionSecret(provision_secret::RefreshSecret),
    Certificate(certificate::RefreshCertificate),
    Token(token::RefreshToken),
    Hook(hook::RefreshHook),
    Webhook(webhook::RefreshWebhook),
}

impl Refresh {
    /// Replaces it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::ProvisionSecret(noun) => noun.run(global),
            Noun::Certificate(noun) => noun.run(global),
            Noun::Token(noun) => noun.run(global),
            Noun::Hook(noun) => noun.run(global),
            Noun::Webhook(noun) => noun.run(global),
        }
    }
}
