//! Which of those that wait are meant, without naming each.

use enlist_core::{Clock, Name, SystemClock};
use enlist_wire::{Client, Device, DeviceState, DevicesQuery, Time};

use crate::add::label;
use crate::failure::refused;
use crate::get::groups;
use crate::group_arg::AnyGroupArg;
use crate::span::Span;

/// Devices asked for at once.
const PAGE: u32 = 500;

/// What the devices have in common: all of what is given.
#[derive(Debug, clap::Args)]
pub struct Selector {
    /// All that wait
    #[arg(long)]
    all: bool,
    /// Those with this label; may be given again
    #[arg(short = 'l', long = "label", id = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Those whose names begin so
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// The one that shows this code, such as K7P-3QF
    #[arg(long, value_name = "CODE", value_parser = code)]
    code: Option<String>,
    /// Those whose hardware has proved what it is
    #[arg(long)]
    attested: bool,
    /// Those that have waited for longer than this: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN")]
    older_than: Option<Span>,
}

impl Selector {
    /// Whether anything is selected at all.
    pub fn is_given(&self) -> bool {
        self.all || self.narrows() || self.code.is_some()
    }

    /// Whether it is a code and nothing else.
    pub fn is_one_code(&self) -> bool {
        self.code.is_some() && !self.all && !self.narrows()
    }

    /// What to say where nobody is found.
    pub fn nobody(&self) -> String {
        match &self.code {
            Some(code) if self.is_one_code() => format!(
                "no device that waits shows the code `{code}`: `enlist get pending` shows those that do, each with its code; a device that was turned away asks anew with another one"
            ),
            _ => "no device that waits is selected".to_owned(),
        }
    }

    fn narrows(&self) -> bool {
        !self.labels.is_empty()
            || self.prefix.is_some()
            || self.attested
            || self.older_than.is_some()
    }

    /// Those of the queue that it means, page by page to its end.
    pub fn find(
        &self,
        client: &Client,
        tenant: &Name,
        group: &AnyGroupArg,
    ) -> anyhow::Result<Vec<Device>> {
        let now = SystemClock.now().as_millis();
        let mut found = Vec::new();
        for group in groups(client, tenant, group)? {
            let mut after = None;
            loop {
                let query = DevicesQuery {
                    after: after.clone(),
                    limit: Some(PAGE),
                    state: Some(DeviceState::Pending),
                };
                let page = client.devices(tenant.as_str(), &group, &query)?;
                let wanted = page.items.into_iter();
                found.extend(wanted.filter(|device| self.means(device, now)));
                match page.next {
                    None => break,
                    next if next == after => {
                        return Err(refused(
                            "list-stuck",
                            "the server's list does not go on: its next page is the one before",
                        ));
                    }
                    next => after = next,
                }
            }
        }
        Ok(found)
    }

    fn means(&self, device: &Device, now: i64) -> bool {
        let Some(pending) = &device.pending else {
            return false;
        };
        let labelled = self
            .labels
            .iter()
            .all(|(key, value)| device.labels.get(key) == Some(value));
        let prefix = self.prefix.as_ref();
        let code = self.code.as_ref();
        labelled
            && prefix.is_none_or(|prefix| device.name.starts_with(prefix.as_str()))
            && code.is_none_or(|code| pending.code == *code)
            && (!self.attested || device.attested.is_some())
            && self
                .older_than
                .is_none_or(|span| waited(pending.since, now) > span.0)
    }
}

/// A code as devices show it, however it was typed.
fn code(typed: &str) -> Result<String, String> {
    let letters = typed.trim().replace('-', "").to_ascii_uppercase();
    match letters.split_at_checked(3) {
        Some((first, second)) if second.len() == 3 && letters.is_ascii() => {
            Ok(format!("{first}-{second}"))
        }
        _ => Err("a code is six letters and digits, such as K7P-3QF".to_owned()),
    }
}

/// For how many seconds it has waited.
fn waited(since: Time, now: i64) -> u64 {
    u64::try_from(now.saturating_sub(since.as_millis()) / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        selector: Selector,
    }

    fn selector(line: &str) -> Selector {
        let words = std::iter::once("x").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().selector
    }

    fn waiting() -> Device {
        serde_json::from_value(serde_json::json!({
            "device_id": "00000000-0000-7000-8000-000000000000",
            "tenant": "default", "group": "field", "name": "unit-7", "state": "pending",
            "labels": {"region": "north"},
            "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z",
            "pending": {"code": "K7P-3QF", "since": "2026-01-01T00:00:00Z"},
        }))
        .unwrap()
    }

    #[test]
    fn all_that_is_given_has_to_hold() {
        let device = waiting();
        let later = device.created_at.as_millis() + 3_600_000;
        let means = |line: &str| selector(line).means(&device, later);
        for yes in [
            "--all",
            "-l region=north",
            "--prefix unit-",
            "--code k7p-3qf",
            "--code k7p3QF",
            "--older-than 59m",
            "-l region=north --prefix unit-7 --code K7P-3QF --older-than 30s",
        ] {
            assert!(means(yes), "{yes}");
        }
        for no in [
            "-l region=south",
            "-l region=north -l fleet=a",
            "--prefix pump-",
            "--code K7P-3QG",
            "--attested",
            "--older-than 1h",
            "--all --attested",
        ] {
            assert!(!means(no), "{no}");
        }
    }

    #[test]
    fn what_can_be_no_code_is_told_so() {
        for none in ["zzz", "K7P-3QFX", "K7P3Q", "K7Pé3Q"] {
            let parsed = Line::try_parse_from(["x", "--code", none]);
            let told = parsed.err().map(|error| error.to_string());
            assert!(told.is_some_and(|told| told.contains("K7P-3QF")), "{none}");
        }
    }

    #[test]
    fn only_a_code_alone_is_as_good_as_a_name() {
        assert!(selector("--code K7P-3QF").is_one_code());
        assert!(!selector("--code K7P-3QF --prefix unit-").is_one_code());
        assert!(!selector("").is_given());
    }
}
