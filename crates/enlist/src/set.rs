//! `enlist set context`: which context is the current one, and its tenant.

use enlist_core::Name;

use crate::cli::Global;
use crate::context::Contexts;
use crate::say::say;

/// Change what commands use when nothing else is said
#[derive(Debug, clap::Args)]
pub struct Set {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    /// Make a saved context the current one; with -t, change its tenant too
    #[command(after_help = EXAMPLES)]
    Context {
        /// The context
        #[arg(value_name = "NAME")]
        name: Name,
    },
}

const EXAMPLES: &str = "\
Examples:
  enlist set context plant-b
  enlist set context plant-b -t acme";

impl Set {
    /// Changes the file of contexts.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let Noun::Context { name } = self.noun;
        let mut contexts = Contexts::load()?;
        contexts.named(name.as_str())?;
        if let (Some(tenant), Some(context)) =
            (&global.tenant, contexts.contexts.get_mut(name.as_str()))
        {
            context.tenant = Some(tenant.to_string());
        }
        contexts.current = Some(name.to_string());
        contexts.save()?;
        say!("`{name}` is the current context.");
        Ok(())
    }
}
