//! `cargo xtask cross`: the agent for the machines that devices are, and the CLI for those that people
//! sit at.
//!
//! The agent is built for each target, small and full builds alike being one set of features apart, and
//! each is run under qemu-user through a real enrollment against a real server of this machine. The CLI
//! is only checked: there is nothing here to link it with for Windows and macOS.

pub(crate) mod packages;
mod target;
pub(crate) mod toolchain;
pub(crate) mod trial;

use std::process::Command;

use anyhow::{Result, bail};

use crate::steps::Steps;
use target::{AGENTS, CLIS};
use toolchain::Toolchain;

/// Builds and tries the targets that are named, or all.
///
/// # Errors
/// When one does not build, or does not enroll.
pub(crate) fn all(only: &[String]) -> Result<()> {
    let known = || {
        AGENTS
            .iter()
            .map(|one| one.triple)
            .chain(CLIS.iter().map(|one| one.triple))
    };
    if let Some(unknown) = only
        .iter()
        .find(|name| !known().any(|triple| triple == *name))
    {
        let known: Vec<_> = known().collect();
        bail!("`{unknown}` is no target of ours: {}", known.join(", "));
    }
    let wanted = |triple: &str| only.is_empty() || only.iter().any(|name| name == triple);
    let toolchain = Toolchain::provide()?;
    let mut steps = Steps::default();
    for agent in AGENTS.iter().filter(|one| wanted(one.triple)) {
        steps.step(agent.triple, || {
            packages::provide(agent.packages)?;
            let binary = toolchain.build_agent(agent)?;
            trial::enroll(agent.triple, || {
                let mut command = Command::new(agent.qemu);
                command.args(["-L", agent.libraries]).arg(&binary);
                command
            })?;
            trial::tell_size(agent.triple, &binary)
        });
    }
    for cli in CLIS.iter().filter(|one| wanted(one.triple)) {
        steps.step(cli.triple, || {
            packages::provide(cli.packages)?;
            toolchain.check_cli(cli)
        });
    }
    steps.finish()
}
