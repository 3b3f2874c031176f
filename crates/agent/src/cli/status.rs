use std::path::Path;

use enlist_core::{Clock, SystemClock, Timestamp};
use enlist_wire::Time;
use serde_json::{Value, json};

use super::{Exit, Output, condition, report, say};
use crate::config::Configuration;
use crate::disk::{FileDisk, Vault};
use crate::drive::renewal_due;
use crate::machine::{Enrolling, Identity, Stage};
use crate::wipe::Journal;

/// Shows who the device is.
pub(super) fn status(config: &Path, output: Output) -> Exit {
    let configuration = match Configuration::load(config) {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let directory = &configuration.persistent_directory;
    if let Some(exit) = wiping(&FileDisk::look(directory), output) {
        return exit;
    }
    let vault = Vault::new(FileDisk::look(directory));
    let state = match vault.state() {
        Ok(state) => state,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    let now = vault.likely_time(SystemClock.now());
    let Some(state) = state else {
        report::list(vec![("state", json!("new"))], output);
        return Exit::Refused;
    };
    match &state.stage {
        Stage::Enrolling(enrolling) => {
            let mut fields = under_way(enrolling);
            fields.push(condition::refusal(&vault, output));
            report::list(fields, output);
            Exit::Refused
        }
        Stage::Enrolled(identity) => {
            let due = renewal_due(&configuration, state.clone(), now);
            let validity = identity.validity.as_ref();
            let expired = validity.is_none_or(|validity| validity.is_over(now));
            let mut more = vec![
                ("state", json!(if expired { "expired" } else { "enrolled" })),
                ("confirmed", json!(identity.confirmed)),
                ("pre_enrolled", json!(identity.pre_enrolled)),
                ("renewing", json!(identity.renewal.is_some())),
                ("renewal_due", due.map_or(Value::Null, time)),
                ("left", left(identity, now, output)),
            ];
            more.extend(condition::enrolled(
                &configuration,
                &vault,
                &state,
                now,
                output,
            ));
            report::identity(identity, &configuration, &more, output);
            if expired { Exit::Expired } else { Exit::Done }
        }
    }
}

/// How far a wipe has come; `None` where none is under way.
fn wiping(disk: &FileDisk, output: Output) -> Option<Exit> {
    let journal = match Journal::read(disk) {
        Ok(journal) => journal?,
        Err(error) => {
            say(&error);
            return Some(Exit::Refused);
        }
    };
    let who = journal.who.as_ref();
    let plan = journal.plan.as_ref();
    let fields = vec![
        ("state", json!("wiping")),
        ("device_id", json!(who.map(|who| who.device.to_string()))),
        ("name", json!(who.map(|who| who.name.as_str()))),
        ("since", time(journal.began_at)),
        ("ordered_by", json!(journal.ordered_by)),
        ("reason", json!(journal.reason)),
        ("to_erase", json!(plan.map(Vec::len))),
        ("erased", json!(journal.erased().len())),
        ("receipt_signed", json!(journal.receipt.is_some())),
        ("keys_gone", json!(journal.keys_gone)),
        ("delivered", json!(journal.delivery.is_some())),
    ];
    report::list(fields, output);
    Some(Exit::Refused)
}

fn under_way(enrolling: &Enrolling) -> Vec<(&'static str, Value)> {
    let state = if enrolling.pending {
        "pending"
    } else {
        "enrolling"
    };
    vec![
        ("state", json!(state)),
        ("name", json!(enrolling.name)),
        ("tenant", json!(enrolling.tenant)),
        ("group", json!(enrolling.group)),
        ("code", json!(enrolling.code)),
        ("turned_away", json!(enrolling.turned_away)),
    ]
}

/// How long the certificate is good, in seconds, or in words.
fn left(identity: &Identity, now: Timestamp, output: Output) -> Value {
    let Some(validity) = &identity.validity else {
        return Value::Null;
    };
    let secs = validity.by_the_clock(now).1.as_secs() - now.as_secs();
    if output == Output::Json {
        return json!(secs);
    }
    json!(match secs {
        ..0 => "nothing".to_owned(),
        0..7200 => format!("{} minutes", secs / 60),
        7200..172_800 => format!("{} hours", secs / 3600),
        _ => format!("{} days", secs / 86_400),
    })
}

fn time(at: Timestamp) -> Value {
    json!(Time::from_secs(at.as_secs()).to_string())
}
