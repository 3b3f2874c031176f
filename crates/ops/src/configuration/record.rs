//! Putting a statement on record.

use enlist_config::Change;
use enlist_core::{
    Actor, ConfigurationEntry, ConfigurationStatement, ConfigurationTarget, Event, Operator, Role,
    Subject,
};
use enlist_signed::Envelope;
use enlist_store::Tx;
use serde_json::Value;

use super::ConfigurationError;
use super::error::told;
use super::ground::{Ground, find};
use crate::{Error, Ops};

/// The most characters of one value in an event.
const MAX_SHOWN: usize = 80;

/// What is to be put on record.
pub(super) struct Draft<'a> {
    pub(super) schema_version: u32,
    pub(super) envelope: Envelope,
    /// What it says, as JSON.
    pub(super) body: String,
    pub(super) changes: &'a [Change],
    /// The statement that this one goes back to.
    pub(super) back_to: Option<u64>,
}

impl Ops {
    /// Records a statement, unless the ground that it was checked on has moved.
    pub(super) async fn record_configuration(
        &self,
        who: &Operator,
        ground: &Ground,
        draft: Draft<'_>,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        let envelope = draft.envelope.to_json();
        if envelope.len() > Envelope::MAX_LEN {
            return Err(ConfigurationError::TooLarge.into());
        }
        let statement = ConfigurationStatement {
            tenant: ground.tenant.id,
            group: ground.group.id,
            entry: ConfigurationEntry {
                target: ground.target,
                version: ground.newest + 1,
                schema_version: draft.schema_version,
                changes: serde_json::to_string(draft.changes).expect("changes are JSON"),
                actor: Actor::Operator(who.token),
                at: now,
            },
            envelope,
            body: draft.body,
        };
        let event = event(
            ground.subject(),
            &statement.entry,
            draft.changes,
            draft.back_to,
        );
        let seen = Seen::of(ground);
        let (tenant, group, target) = (ground.tenant.id, ground.group.id, ground.target);
        self.inner
            .store
            .write("apply_configuration", move |tx| {
                seen.is_still_there(tx, &who)?;
                if !tx.insert_configuration(&statement)? {
                    return Err(seen.conflict().into());
                }
                tx.append(&event)?;
                Ok::<_, Error>(())
            })
            .await?;
        match target {
            ConfigurationTarget::Device(device) => self.inner.doorbell.ring(device),
            ConfigurationTarget::Schema | ConfigurationTarget::Group => {
                self.inner.doorbell.ring_group(tenant, group);
            }
        }
        Ok(())
    }
}

/// What a statement was checked against.
struct Seen {
    path: super::ConfigurationPath,
    statement: (enlist_core::TenantId, enlist_core::GroupId),
    target: ConfigurationTarget,
    schema: u64,
    group: u64,
    statements: u64,
    newest: u64,
}

impl Seen {
    fn of(ground: &Ground) -> Self {
        let version =
            |one: &Option<ConfigurationStatement>| one.as_ref().map_or(0, |one| one.entry.version);
        Self {
            path: ground.path.clone(),
            statement: (ground.tenant.id, ground.group.id),
            target: ground.target,
            schema: version(&ground.schema),
            group: version(&ground.group_values),
            statements: ground.statements,
            newest: ground.newest,
        }
    }

    /// A device's own values depend on the schema and the group's values; those depend on everything.
    fn is_still_there(&self, tx: &mut Tx<'_>, who: &Operator) -> Result<(), Error> {
        let (tenant, group, _, target) = find(tx, who, &self.path, Role::Operator)?;
        let (t, g) = (tenant.id, group.id);
        // First: what is stated for the group and for one of its devices at the same time would each be
        // checked against what the other is about to replace.
        tx.hold_configuration(t, g)?;
        let mut is_same = (t, g) == self.statement && target == self.target;
        if let ConfigurationTarget::Device(_) = target {
            let schema = tx.configuration_newest(t, g, ConfigurationTarget::Schema)?;
            let schema_version = schema.as_ref().map_or(0, |one| one.schema_version);
            let group =
                tx.configuration_entry_up_to(t, g, ConfigurationTarget::Group, schema_version)?;
            is_same &= schema.map_or(0, |one| one.version) == self.schema
                && group.map_or(0, |one| one.version) == self.group;
        } else {
            is_same &= tx.count_configurations(t, g)? == self.statements;
        }
        if is_same {
            Ok(())
        } else {
            Err(self.conflict().into())
        }
    }

    fn conflict(&self) -> ConfigurationError {
        ConfigurationError::Conflict {
            version: self.newest + 1,
        }
    }
}

pub(super) fn event(
    subject: Subject,
    entry: &ConfigurationEntry,
    changes: &[Change],
    back_to: Option<u64>,
) -> Event {
    let event = Event::new(
        "configuration-applied",
        subject,
        entry.actor.clone(),
        entry.at,
    )
    .with("of", entry.target.kind())
    .with("version", entry.version)
    .with("schema_version", entry.schema_version);
    let event = match back_to {
        Some(version) => event.with("back_to", version),
        None => event,
    };
    let changes: Vec<String> = changes.iter().map(in_words).collect();
    if changes.is_empty() {
        event
    } else {
        event.with("changes", told(&changes))
    }
}

fn in_words(change: &Change) -> String {
    let shown = |value: &Option<Value>| match value {
        None => "nothing".to_owned(),
        Some(value) => {
            let text = value.to_string();
            match text.char_indices().nth(MAX_SHOWN) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    };
    format!(
        "{} from {} to {}",
        change.pointer,
        shown(&change.from),
        shown(&change.to)
    )
}
