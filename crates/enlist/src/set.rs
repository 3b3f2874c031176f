//! `enlist set …`: which context is the current one, and other rules for what is there.

mod group;

use enlist_core::Name;

use crate::cli::Global;
use crate::context::Contexts;
use crate::say::say;

/// Change what is there, or what commands use when nothing else is said
#[derive(Debug, clap::Args)]
pub struct Set {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Group(Box<group::SetGroup>),
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
    /// Changes it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Group(noun) => noun.run(global),
            Noun::Context { name } => set_context(global, &name),
        }
    }
}

/// Changes the file of contexts.
fn set_context(global: &Global, name: &Name) -> anyhow::Result<()> {
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
