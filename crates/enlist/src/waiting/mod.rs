//! `enlist approve device` and `enlist reject device`: a person's word on those that wait, one or many.

mod answer;
mod selector;

use std::io::{IsTerminal, Write};

use anyhow::Context;
use enlist_core::{Name, Role};
use enlist_wire::{Client, ClientError, Device, DeviceAction};

use crate::cli::Global;
use crate::failure::{as_part_of, refused};
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
            let found = self.selector.find(&client, &tenant, &self.group);
            let found = found.map_err(|error| as_part_of(Role::Operator, error))?;
            if !self.is_wanted(word, global, &found)? {
                return Ok(());
            }
            let them = found.into_iter().map(Meant::seen).collect();
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
                let path = (tenant.as_str(), &*group, name.as_str());
                let device = word.send(&client, path, &action);
                let device = device.map_err(|error| self.with_hint(error))?;
                word.tell(&device);
                match global.output {
                    Some(format) => output::one(format, &device),
                    None => Ok(()),
                }
            }
            names => {
                let them = names.iter().map(|name| Meant::named(&group, name));
                answer_all(&client, &tenant, (word, &action), them.collect(), global)
            }
        }
    }

    /// A name is of one group, which is easily left out.
    fn with_hint(&self, error: ClientError) -> ClientError {
        match error {
            ClientError::Problem(mut problem)
                if self.group.group.is_none() && problem.slug() == "device-not-found" =>
            {
                let hint =
                    "`enlist get pending` shows the group of each that waits: name it with -g";
                problem.suggestion.get_or_insert_with(|| hint.to_owned());
                ClientError::Problem(problem)
            }
            error => error,
        }
    }

    /// Whether it is to be done to those that were found: shows them where nobody has said so yet.
    fn is_wanted(&self, word: Word, global: &Global, found: &[Device]) -> anyhow::Result<bool> {
        if found.is_empty() {
            return Err(refused("nobody-waits", self.selector.nobody()));
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

/// One of those that are meant.
struct Meant {
    group: String,
    name: String,
    /// As the queue showed it, where it was asked.
    code: Option<String>,
}

impl Meant {
    fn seen(device: Device) -> Self {
        Self {
            group: device.group,
            name: device.name,
            code: device.pending.map(|pending| pending.code),
        }
    }

    fn named(group: &str, name: &Name) -> Self {
        Self {
            group: group.to_owned(),
            name: name.to_string(),
            code: None,
        }
    }

    /// Another device may have applied under the name since: only the one that was seen is meant.
    fn action(&self, action: &DeviceAction) -> DeviceAction {
        DeviceAction {
            code: self.code.clone(),
            ..action.clone()
        }
    }
}

/// Goes on where a single one is refused; the whole is a failure then.
fn answer_all(
    client: &Client,
    tenant: &Name,
    (word, action): (Word, &DeviceAction),
    them: Vec<Meant>,
    global: &Global,
) -> anyhow::Result<()> {
    let bar = progress::bar(Some(them.len() as u64), "devices");
    let mut rows = global.output.map(Rows::of::<Answered>);
    let (all, mut failed) = (them.len(), 0);
    for one in them {
        let name = (tenant.as_str(), &*one.group, &*one.name);
        let sent = word.send(client, name, &one.action(action));
        let answered = Answered::new(word, one.group, one.name, sent)?;
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
            format!("{failed} of {} not {}", count(all), word.done()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_seen_in_the_queue_is_answered_by_the_code_it_showed() {
        let device = serde_json::from_value(serde_json::json!({
            "device_id": "00000000-0000-7000-8000-000000000000",
            "tenant": "default", "group": "field", "name": "unit-7", "state": "pending",
            "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z",
            "pending": {"code": "K7P-3QF", "since": "2026-01-01T00:00:00Z"},
        }));
        let action = DeviceAction {
            reason: Some("seen".to_owned()),
            ..DeviceAction::default()
        };
        let seen = Meant::seen(device.unwrap()).action(&action);
        assert_eq!(seen.code.as_deref(), Some("K7P-3QF"));
        assert_eq!(seen.reason, action.reason);
        let named = Meant::named("field", &"unit-7".parse().unwrap());
        assert_eq!(named.action(&action), action);
    }
}
