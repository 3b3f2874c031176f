//! Going back: the same as before is stated again, under a new number.

use std::sync::Arc;

use enlist_core::{ConfigurationStatement, Operator, Role};

use super::ground::Ground;
use super::layer::Proposal;
use super::ruler::SchemaBody;
use super::schema::SchemaProposal;
use super::{Applied, ConfigurationError, ConfigurationOf, ConfigurationPath, Stating};
use crate::{Error, Ops};

impl Ops {
    /// Goes back to an earlier statement. A schema comes back with its version; values are led to the
    /// schema version of today.
    ///
    /// # Errors
    /// As stating it anew would; and where the operators sign, since they have to state it then.
    pub async fn rollback_configuration(
        &self,
        who: &Operator,
        path: ConfigurationPath,
        to: u64,
        stating: Stating,
    ) -> Result<Applied, Error> {
        let is_schema = path.of == ConfigurationOf::Schema;
        let ground = self.ground(who, path, Role::Operator).await?;
        ground.expect(stating)?;
        let before = self
            .statement(&ground, to)
            .await?
            .ok_or(ConfigurationError::NoSuchVersion { version: to })?;
        if is_schema {
            let proposal = SchemaProposal {
                body: SchemaBody::of(&before)?,
                schema_version: before.entry.schema_version,
                envelope: None,
                back_to: Some(to),
            };
            return self.state_schema(who, &ground, proposal, stating).await;
        }
        let ruler = Arc::new(ground.ruler()?);
        if before.entry.schema_version > ruler.schema_version {
            return Err(ConfigurationError::NotThisStatement(
                "its values are of a newer schema version than the one in force; go back to that schema first",
            )
            .into());
        }
        let values = ruler.values_of(&before).map_err(ConfigurationError::from)?;
        let proposal = Proposal {
            values,
            envelope: None,
            back_to: Some(to),
        };
        self.state_values(who, &ground, &ruler, proposal, stating)
            .await
    }

    /// One statement about what `ground` is about.
    pub(super) async fn statement(
        &self,
        ground: &Ground,
        version: u64,
    ) -> Result<Option<ConfigurationStatement>, Error> {
        let (tenant, group, target) = (ground.tenant.id, ground.group.id, ground.target);
        self.inner
            .store
            .read("configuration_statement", move |tx| {
                Ok(tx.configuration(tenant, group, target, version)?)
            })
            .await
    }
}
