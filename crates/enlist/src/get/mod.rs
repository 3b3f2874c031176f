//! `enlist get …`: one noun a file.

mod anchor;
mod audit_key;
mod ca_request;
mod cas;
mod certificates;
mod config;
mod contexts;
mod dead_letters;
mod device;
mod devices;
mod events;
mod group;
mod groups;
mod hooks;
mod listing;
mod manifests;
mod manufacturers;
mod orders;
mod pending;
mod receipt;
mod rollover;
mod roots;
mod schema;
mod secrets;
mod signing;
mod tenants;
mod tokens;
mod webhooks;

pub use listing::groups;
pub use pending::Waiting;

use crate::cli::Global;

/// Show what is there
///
/// Lists are fetched page by page and printed as they come, whatever their length.
#[derive(Debug, clap::Args)]
pub struct Get {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Tenants(tenants::GetTenants),
    Groups(groups::GetGroups),
    Group(group::GetGroup),
    Hooks(hooks::GetHooks),
    Devices(devices::GetDevices),
    Device(device::GetDevice),
    Pending(pending::GetPending),
    Manifests(manifests::GetManifests),
    Manifest(manifests::GetManifest),
    Manufacturers(manufacturers::GetManufacturers),
    Manufacturer(manufacturers::GetManufacturer),
    Orders(orders::GetOrders),
    Receipt(receipt::GetReceipt),
    Secrets(secrets::GetSecrets),
    Config(config::GetConfig),
    Schema(schema::GetSchema),
    Signing(signing::GetSigning),
    Certificates(certificates::GetCertificates),
    Events(events::GetEvents),
    Tokens(tokens::GetTokens),
    Webhooks(webhooks::GetWebhooks),
    DeadLetters(dead_letters::GetDeadLetters),
    Anchor(anchor::GetAnchor),
    AuditKey(audit_key::GetAuditKey),
    Cas(cas::GetCas),
    CaRequest(ca_request::GetCaRequest),
    Roots(roots::GetRoots),
    Rollover(rollover::GetRollover),
    #[command(visible_alias = "contexts")]
    Context(contexts::GetContext),
}

impl Get {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Tenants(noun) => noun.run(global),
            Noun::Groups(noun) => noun.run(global),
            Noun::Group(noun) => noun.run(global),
            Noun::Hooks(noun) => noun.run(global),
            Noun::Devices(noun) => noun.run(global),
            Noun::Device(noun) => noun.run(global),
            Noun::Pending(noun) => noun.run(global),
            Noun::Manifests(noun) => noun.run(global),
            Noun::Manifest(noun) => noun.run(global),
            Noun::Manufacturers(noun) => noun.run(global),
            Noun::Manufacturer(noun) => noun.run(global),
            Noun::Orders(noun) => noun.run(global),
            Noun::Receipt(noun) => noun.run(global),
            Noun::Secrets(noun) => noun.run(global),
            Noun::Config(noun) => noun.run(global),
            Noun::Schema(noun) => noun.run(global),
            Noun::Signing(noun) => noun.run(global),
            Noun::Certificates(noun) => noun.run(global),
            Noun::Events(noun) => noun.run(global),
            Noun::Tokens(noun) => noun.run(global),
            Noun::Webhooks(noun) => noun.run(global),
            Noun::DeadLetters(noun) => noun.run(global),
            Noun::Anchor(noun) => noun.run(global),
            Noun::AuditKey(noun) => noun.run(global),
            Noun::Cas(noun) => noun.run(global),
            Noun::CaRequest(noun) => noun.run(global),
            Noun::Roots(noun) => noun.run(global),
            Noun::Rollover(noun) => noun.run(global),
            Noun::Context(noun) => noun.run(global),
        }
    }
}
