//! Stating values.

use std::sync::Arc;

use enlist_config::diff;
use enlist_core::{ConfigurationTarget, Operator, Role, SigningPurpose};
use enlist_signed::{Envelope, Layer, Target};
use serde_json::Value;

use super::aside::aside;
use super::ground::Ground;
use super::record::Draft;
use super::ruler::{self, Ruler};
use super::{Applied, ConfigurationError, ConfigurationPath, Fields, MAX_VALUES, Stating};
use crate::{Error, Ops, signing};

/// Values to state for a group or a device.
#[derive(Debug, Clone, Default)]
pub struct ApplyConfiguration {
    /// The values, where the server signs or nothing is to be stated.
    pub values: Option<Fields>,
    /// The statement, where the operators sign.
    pub envelope: Option<Value>,
    /// How to state it.
    pub stating: Stating,
}

/// Values that are about to be stated, and by whom they are signed.
pub(super) struct Proposal {
    pub(super) values: Fields,
    pub(super) envelope: Option<Envelope>,
    pub(super) back_to: Option<u64>,
}

impl Ops {
    /// States values for a group or for one device of it.
    ///
    /// # Errors
    /// When they do not fit the schema or those of single devices, are signed by somebody who may not, or
    /// somebody else states something at the same time.
    pub async fn apply_configuration(
        &self,
        who: &Operator,
        path: ConfigurationPath,
        apply: ApplyConfiguration,
    ) -> Result<Applied, Error> {
        let ground = self.ground(who, path, Role::Operator).await?;
        let ruler = Arc::new(ground.ruler()?);
        ground.expect(apply.stating)?;
        let proposal = match (apply.values, apply.envelope) {
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::InvalidRequest(
                    "give either `values` or `envelope`".to_owned(),
                ));
            }
            (Some(values), None) => Proposal {
                values,
                envelope: None,
                back_to: None,
            },
            (None, Some(envelope)) => {
                let envelope = Envelope::from_value(&envelope).map_err(ConfigurationError::from)?;
                let layer = believed(&ground, &ruler, &envelope)?;
                Proposal {
                    values: layer.values,
                    envelope: Some(envelope),
                    back_to: None,
                }
            }
        };
        self.state_values(who, &ground, &ruler, proposal, apply.stating)
            .await
    }

    /// Checks values, and records them unless they are for trying.
    pub(super) async fn state_values(
        &self,
        who: &Operator,
        ground: &Ground,
        ruler: &Arc<Ruler>,
        proposal: Proposal,
        stating: Stating,
    ) -> Result<Applied, Error> {
        if !stating.dry_run {
            ground.server_signs(proposal.envelope.is_some())?;
        }
        let values = &proposal.values;
        let body = Value::Object(values.clone()).to_string();
        if body.len() > MAX_VALUES {
            return Err(ConfigurationError::TooLarge.into());
        }
        let (before, after) = self.compare(ground, ruler, values).await?;
        let changes = diff(&ruler.schema, &before, &after);
        let applied = Applied {
            changed: !is_stated(ground, ruler, values),
            version: ground.newest + 1,
            schema_version: ruler.schema_version,
            changes,
        };
        if !applied.changed {
            let version = ground.newest;
            return Ok(Applied { version, ..applied });
        }
        if stating.dry_run {
            return Ok(applied);
        }
        let envelope = match proposal.envelope {
            Some(envelope) => envelope,
            None => self.seal_values(ground, ruler, values).await?,
        };
        let draft = Draft {
            schema_version: ruler.schema_version,
            envelope,
            body,
            changes: &applied.changes,
            back_to: proposal.back_to,
        };
        self.record_configuration(who, ground, draft).await?;
        Ok(applied)
    }

    /// The whole before and after, where the one after is good.
    pub(super) async fn compare(
        &self,
        ground: &Ground,
        ruler: &Arc<Ruler>,
        values: &Fields,
    ) -> Result<(Value, Value), Error> {
        let refused = ConfigurationError::Values;
        let carried = |one| ruler.values_of(one).map_err(ConfigurationError::from);
        let group = ground.group_values.as_ref().map(carried).transpose()?;
        let group = group.unwrap_or_default();
        let (measure, new) = (ruler.clone(), values.clone());
        let (before, after) = if let ConfigurationTarget::Device(_) = ground.target {
            let own = ground.device_values.as_ref().map(carried).transpose()?;
            let own = own.unwrap_or_default();
            let above = group.clone();
            aside(move || measure.check(&[&above, &new]))
                .await?
                .map_err(refused)?;
            (ruler.whole(&[&group, &own]), ruler.whole(&[&group, values]))
        } else {
            aside(move || measure.check(&[&new]))
                .await?
                .map_err(refused)?;
            self.refuse_misfits(ground, ruler, values).await?;
            (ruler.whole(&[&group]), ruler.whole(&[values]))
        };
        Ok((Value::Object(before), Value::Object(after)))
    }

    pub(super) async fn seal_values(
        &self,
        ground: &Ground,
        ruler: &Ruler,
        values: &Fields,
    ) -> Result<Envelope, Error> {
        let layer = Layer {
            tenant: ground.tenant.name.clone(),
            group: ground.group.name.clone(),
            target: target(ground),
            version: ground.newest + 1,
            schema_version: ruler.schema_version,
            values: values.clone(),
            at: self.now(),
        };
        let purpose = SigningPurpose::Configuration;
        let key = self.signing_key(ground.tenant.id, purpose).await?;
        Envelope::seal(&layer, &*key.signer).map_err(Error::signing)
    }
}

/// What the group's own key has signed, if it is meant for this and is the next.
fn believed(ground: &Ground, ruler: &Ruler, envelope: &Envelope) -> Result<Layer, Error> {
    // Where the server signs, nothing that comes from outside counts.
    ground.server_signs(true)?;
    let keys = signing::public_keys(&ground.group.signing)?;
    let layer: Layer = envelope.open(&keys).map_err(ConfigurationError::from)?;
    let wrong = |what| Err(ConfigurationError::NotThisStatement(what).into());
    if layer.tenant != ground.tenant.name || layer.group != ground.group.name {
        return wrong("it is for another group");
    }
    if layer.target != target(ground) {
        return wrong("it is for something else in the group");
    }
    if layer.schema_version != ruler.schema_version {
        return wrong("its values are of another schema version");
    }
    if layer.version != ground.newest + 1 {
        return Err(ground.conflict().into());
    }
    Ok(layer)
}

fn target(ground: &Ground) -> Target {
    match ground.target {
        ConfigurationTarget::Device(device) => Target::Device(device),
        ConfigurationTarget::Group | ConfigurationTarget::Schema => Target::Group,
    }
}

/// Whether just these values are what is stated, by the newest statement.
fn is_stated(ground: &Ground, ruler: &Ruler, values: &Fields) -> bool {
    ground.own_values().is_some_and(|one| {
        one.entry.version == ground.newest
            && one.entry.schema_version == ruler.schema_version
            && ruler::values(one) == *values
    })
}
