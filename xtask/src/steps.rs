//! Steps with a headline each, and a summary at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Steps that are run one after another. A step that fails stops none of the others, so that
/// one run shows all there is to mend.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

impl Steps {
    /// Runs a step.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        println!("\n== {name}");
        let start = Instant::now();
        let failure = work().err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            println!("failed: {failure}");
        }
        self.done.push(Step {
            name,
            took: start.elapsed(),
            failure,
        });
    }

    /// Prints how each step went.
    ///
    /// # Errors
    /// When one failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n== summary");
        for step in &self.done {
            let outcome = if step.failure.is_some() {
                "FAILED"
            } else {
                "ok"
            };
            println!(
                "{:<26} {:>7.1} s  {outcome}",
                step.name,
                step.took.as_secs_f64()
            );
        }
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        println!("{:<26} {:>7.1} s", "all", total.as_secs_f64());
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|step| step.failure.is_some())
            .collect();
        for step in &failed {
            println!(
                "{}: {}",
                step.name,
                step.failure.as_deref().unwrap_or_default()
            );
        }
        if !failed.is_empty() {
            bail!("{} of {} steps failed", failed.len(), self.done.len());
        }
        Ok(())
    }
}
