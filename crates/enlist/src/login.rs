//! `enlist login`: saves a server, whom to believe and an API token as a context.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::Name;
use enlist_wire::Whoami;
use serde::Serialize;

use crate::cli::Global;
use crate::context::{Context, Contexts, Settings, anchors, management_client, server_url, token};
use crate::failure::refused;
use crate::output::{self, Row};
use crate::say::say;
use crate::secret_file;

/// Save a server and an API token for the commands that follow
///
/// The server is asked whom it takes the token's holder for, and nothing is saved unless it answers.
/// The context becomes the current one. It is kept in contexts.json in the user's configuration
/// directory, readable by its owner alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Login {
    /// The server's address
    #[arg(long, value_name = "URL")]
    server: String,
    /// The file with the installation's root certificate, PEM
    #[arg(long, value_name = "FILE")]
    ca: String,
    /// The file with the API token; `-` is standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The file with the CA of the server's certificate, where that is not of this installation
    #[arg(long, value_name = "FILE")]
    service_ca: Option<String>,
    /// What to call the context [default: what --context says, else `default`]
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
}

const EXAMPLES: &str = "\
Examples:
  enlist login --server https://enlist.example.com:8443 --ca root.pem --token-file admin.token
  enlist login --server localhost:8443 --ca enlist-data/root.pem --token-file enlist-data/admin.token
  enlist login --server https://b.example.com:8443 --ca b.pem --token-file - --name plant-b -t acme";

#[derive(Debug, Serialize)]
struct LoggedIn<'a> {
    context: &'a Name,
    server: &'a str,
    #[serde(flatten)]
    whoami: Whoami,
}

impl Row for LoggedIn<'_> {
    const COLUMNS: &'static [&'static str] = &["context", "server", "label", "role", "tenant"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.context.to_string(),
            self.server.to_owned(),
            self.whoami.label.clone(),
            crate::text::word(&self.whoami.role),
            self.whoami.tenant.clone().unwrap_or_default(),
        ]
    }
}

impl Login {
    fn name(&self, global: &Global) -> anyhow::Result<Name> {
        match (&self.name, &global.context) {
            (Some(name), Some(context)) if name != context => Err(refused(
                "other-context",
                format!("--name says `{name}` and --context `{context}`: leave one of them out"),
            )),
            (Some(name), _) | (None, Some(name)) => Ok(name.clone()),
            (None, None) => "default".parse().context("the context's usual name"),
        }
    }

    /// Checks with the server, then saves.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let name = self.name(global)?;
        let text = secret_file::token(&self.token_file)?;
        let source = format!("`{}`", self.token_file.display());
        let default_tenant: Name = "default".parse().context("the default tenant")?;
        let mut settings = Settings {
            server: server_url(&self.server),
            ca_pem: anchors(&self.ca)?,
            service_ca_pem: self.service_ca.as_deref().map(anchors).transpose()?,
            token: Some(token(&text, &source)?),
            tenant: default_tenant,
        };
        let whoami = management_client(&settings)?.whoami()?;
        let own = whoami.tenant.as_deref().map(str::parse::<Name>).transpose();
        let own = own.context("the server names a tenant that can't be one")?;
        let tenant = match (&global.tenant, own) {
            (Some(asked), Some(own)) if *asked != own => {
                return Err(refused(
                    "other-tenant",
                    format!(
                        "this token is of tenant `{own}`, so it can't be used for `{asked}`: leave -t out, or use a token of that tenant"
                    ),
                ));
            }
            (Some(asked), _) => Some(asked.clone()),
            (None, own) => own,
        };
        let context = Context {
            server: settings.server.clone(),
            ca_pem: settings.ca_pem,
            service_ca_pem: settings.service_ca_pem,
            token: settings
                .token
                .take()
                .context("the token was there a moment ago")?
                .into(),
            tenant: tenant.map(String::from),
        };
        let mut contexts = Contexts::load()?;
        let before = contexts.contexts.insert(name.to_string(), context);
        contexts.current = Some(name.to_string());
        contexts.save()?;
        if let Some(before) = before.filter(|before| before.server != settings.server) {
            say!(
                "The context `{name}` was of {} until now; --name keeps both.",
                before.server
            );
        }
        say!(
            "Logged in at {} as `{}` ({}, {}); saved as context `{}`.",
            settings.server,
            crate::text::shown(&whoami.label),
            crate::text::word(&whoami.role),
            match &whoami.tenant {
                Some(tenant) => format!("tenant `{}`", crate::text::shown(tenant)),
                None => "the whole installation".to_owned(),
            },
            name,
        );
        match global.output {
            Some(format) => output::one(
                format,
                &LoggedIn {
                    context: &name,
                    server: &settings.server,
                    whoami,
                },
            ),
            None => Ok(()),
        }
    }
}
