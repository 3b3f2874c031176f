use enlist_core::{ConfigurationEntry, ConfigurationNumbers};
use enlist_ops::{
    Applied, ConfigurationChange, ConfigurationOffer, ConfigurationView, DesiredConfiguration,
    SchemaView,
};
use enlist_wire as wire;

use super::time;

/// What came of stating configuration.
pub(crate) fn applied(applied: Applied) -> wire::ConfigurationApplied {
    wire::ConfigurationApplied {
        changed: applied.changed,
        version: applied.version,
        schema_version: applied.schema_version,
        changes: changes(applied.changes),
    }
}

/// A schema.
pub(crate) fn schema(view: SchemaView) -> wire::GroupSchema {
    wire::GroupSchema {
        version: view.entry.version,
        schema_version: view.entry.schema_version,
        schema: view.schema,
        migrations: view.migrations,
        at: time(view.entry.at),
        by: view.entry.actor.to_string(),
        newest: view.newest,
        highest_schema_version: view.highest_schema_version,
        envelope: wire::Envelope(view.envelope),
    }
}

/// Values.
pub(crate) fn configuration(view: ConfigurationView) -> wire::Configuration {
    let entry = view.entry.as_ref();
    wire::Configuration {
        version: entry.map_or(0, |entry| entry.version),
        schema_version: view.schema_version,
        at: entry.map(|entry| time(entry.at)),
        by: entry.map(|entry| entry.actor.to_string()),
        values: view.values,
        effective: view.effective,
        newest: view.newest,
        envelope: view.envelope.map(wire::Envelope),
    }
}

/// One statement of a history.
pub(crate) fn configuration_entry(
    (entry, changed): (ConfigurationEntry, Vec<ConfigurationChange>),
) -> wire::ConfigurationEntry {
    wire::ConfigurationEntry {
        version: entry.version,
        schema_version: entry.schema_version,
        at: time(entry.at),
        by: entry.actor.to_string(),
        changes: changes(changed),
    }
}

/// Statements for a device.
pub(crate) fn configuration_offer(offer: ConfigurationOffer) -> wire::ConfigurationOffer {
    wire::ConfigurationOffer {
        schema: offer.schema.map(wire::Envelope),
        group: offer.group.map(wire::Envelope),
        device: offer.device.map(wire::Envelope),
    }
}

/// What should be in force on a device.
pub(crate) fn desired_configuration(desired: &DesiredConfiguration) -> wire::DesiredConfiguration {
    wire::DesiredConfiguration {
        numbers: configuration_numbers(desired.numbers),
        schema_version: desired.schema_version,
        since: time(desired.since),
    }
}

/// The numbers of statements.
pub(crate) fn configuration_numbers(numbers: ConfigurationNumbers) -> wire::ConfigurationNumbers {
    wire::ConfigurationNumbers {
        schema: numbers.schema,
        group: numbers.group,
        device: numbers.device,
    }
}

fn changes(changes: Vec<ConfigurationChange>) -> Vec<wire::ConfigurationChange> {
    let change = |one: ConfigurationChange| wire::ConfigurationChange {
        pointer: one.pointer,
        from: one.from,
        to: one.to,
    };
    changes.into_iter().map(change).collect()
}
