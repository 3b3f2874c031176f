//! `enlist approve device` and `enlist reject device`: a person's word on those that wait, one or many.

mod answer;
mod selector;

use std::io::{IsTerminal, Write};

use anyhow::Context;
use enlist_core::Name;
use enlist_wire::{Client, Device, DeviceAction};

use crate::cli::Global;
use crate::failure::refused;
use crate::get::Waiting;
use crate::group_arg::AnyGroupArg;
use crate::output::{self, Rows};
use crate::progress;
use crate::say::say;
use crate::text::shown;
use answer::Answered;
pub use answer::Word;
use selector::Selector;

/// Which devices are meant.
#[derive(Debug, clap::Args)]
pub struct Those {
    /// The names of devices of one group: of -g, or of the group `default`
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "label", "prefix", "code", "attested", "older_than"])]
    names: Vec<Name>,
    #[command(flatten)]
    group: AnyGroupArg,
    #[command(flatten)]
    selector: Selector,
    /// Do it to all that were selected, without asking
    #[arg(long)]
    yes: bool,
    /// Why, for the record
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
}

impl Those {
    /// Says `word` to them.
    pub fn run(self, word: Word, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let action = DeviceAction {
            reason: self.reason.clone(),
            ..DeviceAction::default()
        };
        if self.selector.is_given() {
            let found = self.selector.find(&client, &tenant, &self.group)?;
            if !self.is_wanted(word, global, &found)? {
                return Ok(());
            }
            let them = found
                .into_iter()
                .map(|device| (device.group, device.name))
                .collect();
            return answer_all(&client, &tenant, (word, &action), them, global);
        }
        let group = match &self.group.group {
            Some(group) => group.to_string(),
            None => "default".to_owned(),
        };
        match &self.names[..] {
            [] => Err(refused(
                "nobody-named",
                "name devices, or select them: --all, --label, --prefix, --code, --attested or --older-than",
            )),
            [name] => {
                let device =
                    word.send(&client, (tenant.as_str(), &group, name.as_str()), &action)?;
                word.tell(&device);
                match global.output {
                    Some(format) => output::one(format, &device),
                    None => Ok(()),
                }
            }
            names => {
                let them = names.iter().map(|name| (group.clone(), name.to_string()));
                answer_all(&client, &tenant, (word, &action), them.collect(), global)
            }
        }
    }

    /// Whether it is to be done to those that were found: shows them where nobody has said so yet.
    fn is_wanted(&self, word: Word, global: &Global, found: &[Device]) -> anyhow::Result<bool> {
        if found.is_empty() {
            return Err(refused("nobody-waits", "no device that waits is selected"));
        }
        if self.selector.is_one_code() {
            // The person has compared the code with the device's, and it is no other's.
            return match found {
                [_] => Ok(true),
                _ => Err(refused(
                    "code-ambiguous",
                    "several devices show this code: name the one that is meant",
                )),
            };
        }
        if self.yes {
            return Ok(true);
        }
        let mut rows = Rows::of::<Waiting>(global.output.unwrap_or(output::Format::Table));
        for device in found {
            rows.push(&Waiting(device.clone()))?;
        }
        rows.finish()?;
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(refused(
                "needs-yes",
                format!(
                    "{} would be {}: --yes does it",
                    count(found.len()),
                    word.done()
                ),
            ));
        }
        let mut stderr = std::io::stderr();
        let asked = write!(stderr, "{} {}? [y/N] ", word.asks(), count(found.len()));
        asked
            .and_then(|()| stderr.flush())
            .context("the terminal can't be written to")?;
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .context("the answer can't be read")?;
        let yes = matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        if !yes {
            say!("Nothing was done.");
        }
        Ok(yes)
    }
}

/// Goes on where a single one is refused; the whole is a failure then.
fn answer_all(
    client: &Client,
    tenant: &Name,
    (word, action): (Word, &DeviceAction),
    them: Vec<(String, String)>,
    global: &Global,
) -> anyhow::Result<()> {
    let bar = progress::bar(Some(them.len() as u64), "devices");
    let mut rows = global.output.map(Rows::of::<Answered>);
    let (all, mut failed) = (them.len(), 0);
    for (group, name) in them {
        let sent = word.send(client, (tenant.as_str(), &group, &name), action);
        let answered = Answered::new(word, group, name, sent)?;
        failed += usize::from(!answered.is_done());
        match &mut rows {
            Some(rows) => rows.push(&answered)?,
            None => bar.suspend(|| answered.tell()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(rows) = rows {
        rows.finish()?;
    }
    if failed > 0 {
        return Err(refused(
            "some-refused",
            format!("{failed} of {} were not {}", count(all), word.done()),
        ));
    }
    say!("{} {}.", count(all), word.done());
    Ok(())
}

fn count(devices: usize) -> String {
    match devices {
        1 => "1 device".to_owned(),
        many => format!("{many} devices"),
    }
}

/// A device as a sentence names it.
fn named(group: &str, name: &str) -> String {
    format!("`{}` of group `{}`", shown(name), shown(group))
}
