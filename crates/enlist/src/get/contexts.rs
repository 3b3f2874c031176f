//! `enlist get context`.

use serde::Serialize;

use crate::cli::Global;
use crate::context::Contexts;
use crate::output::{Format, Row, Rows};
use crate::say::say;

/// The saved contexts; never their tokens
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetContext {}

const EXAMPLES: &str = "Examples:\n  enlist get context\n  enlist get context -o json";

#[derive(Serialize)]
struct Saved<'a> {
    name: &'a str,
    current: bool,
    server: &'a str,
    tenant: &'a str,
}

impl GetContext {
    /// Lists them, and says what wins over them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let contexts = Contexts::load()?;
        let mut rows = Rows::of::<Saved<'_>>(global.output.unwrap_or(Format::Table));
        for (name, context) in &contexts.contexts {
            rows.push(&Saved {
                name,
                current: contexts.current.as_ref() == Some(name),
                server: &context.server,
                tenant: context.tenant.as_deref().unwrap_or("default"),
            })?;
        }
        rows.finish()?;
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let winning: Vec<_> = ["ENLIST_SERVER", "ENLIST_CA", "ENLIST_TOKEN"]
            .into_iter()
            .filter(set)
            .collect();
        if !winning.is_empty() {
            say!(
                "Set in the environment, and winning over the context: {}.",
                winning.join(", ")
            );
        }
        Ok(())
    }
}

impl Row for Saved<'_> {
    const COLUMNS: &'static [&'static str] = &["current", "name", "server", "tenant"];

    fn cells(&self) -> Vec<String> {
        vec![
            if self.current { "*" } else { "" }.to_owned(),
            self.name.to_owned(),
            self.server.to_owned(),
            self.tenant.to_owned(),
        ]
    }
}
