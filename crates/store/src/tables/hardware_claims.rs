//! Of those who claim to be the same hardware at one moment, one after the other.

use enlist_core::{HardwareIdentity, TenantId};

use crate::put_off::{Expected, Put};
use crate::value::values;
use crate::{StoreError, Tx};

const TABLE: &str = "hardware_claims";

static CLAIM: Put = Put {
    table: TABLE,
    sql: "INSERT INTO hardware_claims (tenant_id, hardware) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    expected: Expected::EachRow,
};

static LET_GO: Put = Put {
    table: TABLE,
    sql: "DELETE FROM hardware_claims WHERE tenant_id = $1 AND hardware = $2",
    expected: Expected::EachRow,
};

impl Tx<'_> {
    /// Lets nobody else claim this hardware in the tenant until the commit. Who claims it already is waited
    /// for: what is looked up from then on has what they recorded. To be called before a job looks whether
    /// others claim it, where it must not be recorded beside them.
    pub fn claim_hardware(
        &mut self,
        tenant: TenantId,
        hardware: &HardwareIdentity,
    ) -> Result<(), StoreError> {
        if !self.has_other_writers() {
            return Ok(());
        }
        let hardware = hardware.to_string();
        self.put(&CLAIM, values![&tenant, &hardware])?;
        self.put(&LET_GO, values![&tenant, &hardware])?;
        Ok(())
    }

    /// Sees to it that a query comes after the claims of this job.
    pub(super) fn see_claims(&mut self) -> Result<(), StoreError> {
        self.see(TABLE)
    }
}
