//! What stands of certificates, for those who tell the world. Of all tenants: revocation lists and OCSP
//! answers are about a CA, and whoever asks for one is a stranger.

use enlist_core::{CaId, Serial, Standing, TenantId, Timestamp};

use super::certificates::standing;
use crate::column::Columns;
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// How one certificate stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingChange {
    /// When it came to stand so; also for one that came off hold.
    pub since: Timestamp,
    /// The certificate.
    pub serial: Serial,
    /// Who signed it.
    pub issuer: CaId,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// How it stands.
    pub standing: Standing,
}

/// A certificate that was issued, as far as OCSP asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedStanding {
    /// Who signed it.
    pub issuer: CaId,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// How it stands.
    pub standing: Standing,
}

impl Tx<'_> {
    /// A page of what changed its standing from `since` on (at `since` itself only serial numbers after
    /// `after`), in the order of time and serial number: `limit` at most.
    pub fn standings_changed(
        &mut self,
        since: Timestamp,
        after: Option<Serial>,
        limit: usize,
    ) -> Result<Vec<StandingChange>, StoreError> {
        self.query(
            "certificates",
            "SELECT standing_since, serial, issuer_id, not_after, standing, standing_since,
                 revocation_reason
             FROM certificates
             WHERE standing_since IS NOT NULL AND (standing_since, serial) > ($1, $2)
             ORDER BY standing_since, serial LIMIT $3",
            values![since, bytes(after.as_ref()), number(limit as u64)],
            change,
        )
    }

    /// A page of what is on hold or revoked and expires at `not_after` or later (at that time itself only
    /// serial numbers after `after`), in the order of expiry and serial number: `limit` at most. The
    /// second of what is returned is where the next page begins; `None` after the last.
    #[allow(clippy::type_complexity, reason = "a page, and where the next begins")]
    pub fn revocations_live(
        &mut self,
        not_after: Timestamp,
        after: Option<Serial>,
        limit: usize,
    ) -> Result<(Vec<StandingChange>, Option<(Timestamp, Serial)>), StoreError> {
        let mut page = self.query(
            "certificates",
            "SELECT standing_since, serial, issuer_id, not_after, standing, standing_since,
                 revocation_reason
             FROM certificates
             WHERE standing_since IS NOT NULL AND (not_after, serial) > ($1, $2)
             ORDER BY not_after, serial LIMIT $3",
            values![not_after, bytes(after.as_ref()), number(limit as u64)],
            change,
        )?;
        let next = page.last().filter(|_| page.len() == limit);
        let next = next.map(|last| (last.not_after, last.serial));
        page.retain(|one| one.standing != Standing::Good);
        Ok((page, next))
    }

    /// How a certificate stands, where one of this serial number was issued.
    pub fn issued_standing(
        &mut self,
        serial: Serial,
    ) -> Result<Option<IssuedStanding>, StoreError> {
        self.query_one(
            "certificates",
            "SELECT issuer_id, not_after, standing, standing_since, revocation_reason
             FROM certificates WHERE serial = $1",
            values![&serial],
            |columns| {
                Ok(IssuedStanding {
                    issuer: columns.next()?,
                    not_after: columns.next()?,
                    standing: standing(columns)?,
                })
            },
        )
    }

    /// How many credentials each tenant has that has any.
    pub fn credential_counts(&mut self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        self.query(
            "credentials",
            "SELECT tenant_id, count(*) FROM credentials GROUP BY tenant_id",
            values![],
            |columns| Ok((columns.next()?, columns.next()?)),
        )
    }

    /// In how many parts the lists of each tenant's CAs have come at most, where that is more than one.
    pub fn crl_parts(&mut self) -> Result<Vec<(TenantId, u16)>, StoreError> {
        let all = self.query(
            "tenants",
            "SELECT tenant_id, crl_parts FROM tenants WHERE crl_parts > 1",
            values![],
            |columns| Ok((columns.next()?, columns.next::<u64>()?)),
        )?;
        let all = all.into_iter();
        Ok(all
            .map(|(tenant, parts)| (tenant, u16::try_from(parts).unwrap_or(u16::MAX)))
            .collect())
    }

    /// Records that the lists of a tenant's CAs come in this many parts. It never becomes fewer: there
    /// are certificates that point to them.
    pub fn raise_crl_parts(&mut self, tenant: TenantId, parts: u16) -> Result<(), StoreError> {
        self.execute(
            "UPDATE tenants SET crl_parts = $1 WHERE tenant_id = $2 AND crl_parts < $1",
            values![number(u64::from(parts)), &tenant],
        )?;
        Ok(())
    }
}

/// Before all serial numbers, where there is none.
fn bytes(serial: Option<&Serial>) -> &[u8] {
    serial.map_or(&[], |serial| serial.as_bytes())
}

fn change(columns: &mut Columns<'_>) -> Result<StandingChange, StoreError> {
    Ok(StandingChange {
        since: columns.next()?,
        serial: columns.next()?,
        issuer: columns.next()?,
        not_after: columns.next()?,
        standing: standing(columns)?,
    })
}
