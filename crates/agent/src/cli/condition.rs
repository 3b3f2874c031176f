//! What there is to say of a device besides who it is.

use enlist_core::Timestamp;
use enlist_wire::{ConfigurationReport, Time};
use serde_json::{Value, json};

use super::Output;
use crate::config::Configuration;
use crate::configuration::{self, Keeper};
use crate::disk::{Disk, FileDisk, KeptTrouble, Vault};
use crate::machine::State;

type Field = (&'static str, Value);

/// What the agent is waiting out: the last refusal, if there is one.
pub(super) fn refusal(vault: &Vault<FileDisk>, output: Output) -> Field {
    let kept = vault.trouble().ok().flatten();
    let shown = |trouble: KeptTrouble| match output {
        Output::Json => json!({
            "problem": trouble.slug,
            "message": trouble.message,
            "since": time(trouble.at),
            "next": time(trouble.next),
        }),
        Output::Text => json!(crate::log::one_line(&format!(
            "{}{}, since {}",
            trouble.message,
            trouble
                .slug
                .map_or_else(String::new, |slug| format!(" ({slug})")),
            Time::from_secs(trouble.at.as_secs())
        ))),
    };
    ("refused", kept.map_or(Value::Null, shown))
}

/// Key store, orders, time and configuration of a device that is enrolled.
pub(super) fn enrolled(
    configuration: &Configuration,
    vault: &Vault<FileDisk>,
    state: &State,
    now: Timestamp,
    output: Output,
) -> Vec<Field> {
    let slot = state.identity().map(|own| own.slot);
    let key = slot.and_then(|slot| vault.reference_if_any(slot).ok().flatten());
    let lies_in = key.and_then(|key| key.kind());
    let heard = vault.floor().ok().flatten().map(time);
    let last = state.orders.last;
    // The time is kept once an hour or so, to spare the flash: the server may have been heard since.
    let (heard, last) = match output {
        Output::Json => (json!(heard), json!(last)),
        Output::Text => {
            let heard = heard.as_ref().and_then(Value::as_str);
            let last = (last > 0).then_some(last);
            (json!(heard.map(|at| format!("{at} or later"))), json!(last))
        }
    };
    vec![
        ("key_store", json!(lies_in.map(|kind| kind.to_string()))),
        ("server_heard", heard),
        ("last_command", last),
        refusal(vault, output),
        (
            "configuration",
            in_force(configuration, vault.disk(), now, output),
        ),
    ]
}

fn in_force(
    configuration: &Configuration,
    disk: &impl Disk,
    now: Timestamp,
    output: Output,
) -> Value {
    let keys = configuration::keys(configuration);
    let report = Keeper::open(disk, keys, now).report();
    match (report, output) {
        (None, _) => Value::Null,
        (Some(report), Output::Json) => json!(report),
        (Some(report), Output::Text) => json!(words(&report)),
    }
}

fn words(report: &ConfigurationReport) -> String {
    let (numbers, version) = (report.in_force, report.schema_version);
    let mut words = format!(
        "group {}, device {}, schema {version}, since {}",
        numbers.group, numbers.device, report.since
    );
    if let Some(refused) = &report.refused {
        let why = crate::log::one_line(&refused.detail);
        words += &format!("; a newer one is not taken: {why} ({})", refused.reason);
    }
    words
}

fn time(at: Timestamp) -> Value {
    json!(Time::from_secs(at.as_secs()).to_string())
}
