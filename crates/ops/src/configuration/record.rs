//! Putting a statement on record.

use enlist_config::Change;
use enlist_core::{
    Actor, ConfigurationEntry, ConfigurationStatement, ConfigurationTarget, Event, GroupId,
    Operator, Role, Subject, TenantId, Timestamp,
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
        let who = who.clone();
        let (changes, back_to) = (draft.changes, draft.back_to);
        let statement = draft.stated(ground, Actor::Operator(who.token), self.now())?;
        let event = event(ground.subject(), &statement.entry, changes, back_to);
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

impl Draft<'_> {
    /// The next statement about what `ground` is about.
    ///
    /// # Errors
    /// It is too large.
    pub(super) fn stated(
        self,
        ground: &Ground,
        by: Actor,
        at: Timestamp,
    ) -> Result<ConfigurationStatement, ConfigurationError> {
        let envelope = self.envelope.to_json();
        if envelope.len() > Envelope::MAX_LEN {
            return Err(ConfigurationError::TooLarge);
        }
        Ok(ConfigurationStatement {
            tenant: ground.tenant.id,
            group: ground.group.id,
            entry: ConfigurationEntry {
                target: ground.target,
                version: ground.newest + 1,
                schema_version: self.schema_version,
                changes: serde_json::to_string(self.changes).expect("changes are JSON"),
                actor: by,
                at,
            },
            envelope,
            body: self.body,
        })
    }
}

/// The newest statements of a group that a device's own values hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Above {
    schema: u64,
    group: u64,
}

impl Above {
    pub(super) fn of(ground: &Ground) -> Self {
        let version =
            |one: &Option<ConfigurationStatement>| one.as_ref().map_or(0, |one| one.entry.version);
        Self {
            schema: version(&ground.schema),
            group: version(&ground.group_values),
        }
    }

    /// As they are now.
    pub(super) fn now(tx: &mut Tx<'_>, tenant: TenantId, group: GroupId) -> Result<Self, Error> {
        let schema = tx.configuration_newest(tenant, group, ConfigurationTarget::Schema)?;
        let schema_version = schema.as_ref().map_or(0, |one| one.schema_version);
        let of_group = ConfigurationTarget::Group;
        let values = tx.configuration_entry_up_to(tenant, group, of_group, schema_version)?;
        Ok(Self {
            schema: schema.map_or(0, |one| one.version),
            group: values.map_or(0, |one| one.version),
        })
    }
}

/// What a statement was checked against.
struct Seen {
    path: super::ConfigurationPath,
    statement: (TenantId, GroupId),
    target: ConfigurationTarget,
    above: Above,
    statements: u64,
    newest: u64,
}

impl Seen {
    fn of(ground: &Ground) -> Self {
        Self {
            path: ground.path.clone(),
            statement: (ground.tenant.id, ground.group.id),
            target: ground.target,
            above: Above::of(ground),
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
        is_same &= match target {
            ConfigurationTarget::Device(_) => Above::now(tx, t, g)? == self.above,
            _ => tx.count_configurations(t, g)? == self.statements,
        };
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
