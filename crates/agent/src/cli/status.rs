use std::path::Path;

use enlist_core::{Clock, SystemClock, Timestamp};
use enlist_wire::Time;
use serde_json::{Value, json};

use super::{Exit, Output, report, say};
use crate::config::Configuration;
use crate::disk::{FileDisk, Vault};
use crate::machine::{self, Enrolling, Identity, Machine, Settings, Stage};

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
    let state = match Vault::new(FileDisk::look(directory)).state() {
        Ok(state) => state,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    let now = SystemClock.now();
    match state.as_ref().map(|state| &state.stage) {
        None => {
            report::list(vec![("state", json!("new"))], output);
            Exit::Refused
        }
        Some(Stage::Enrolling(enrolling)) => {
            report::list(under_way(enrolling), output);
            Exit::Refused
        }
        Some(Stage::Enrolled(identity)) => {
            let due = renewal_due(&configuration, state.clone(), now);
            let validity = identity.validity.as_ref();
            let expired = validity.is_none_or(|validity| validity.is_over(now));
            let more = [
                ("state", json!(if expired { "expired" } else { "enrolled" })),
                ("confirmed", json!(identity.confirmed)),
                ("pre_enrolled", json!(identity.pre_enrolled)),
                ("renewing", json!(identity.renewal.is_some())),
                ("renewal_due", due.map_or(Value::Null, time)),
                ("left", left(identity, now, output)),
            ];
            report::identity(identity, directory, &more, output);
            if expired { Exit::Expired } else { Exit::Done }
        }
    }
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
    ]
}

fn renewal_due(
    configuration: &Configuration,
    state: Option<machine::State>,
    now: Timestamp,
) -> Option<Timestamp> {
    let settings = Settings {
        tenant: configuration.tenant.to_string(),
        group: configuration.group.to_string(),
        name: None,
        hardware: None,
        refresh_threshold: configuration.cert_refresh_threshold,
        polling_interval: configuration.polling_interval,
        pre_enrolled: None,
    };
    Machine::new(settings, state).renewal_due(now)
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
