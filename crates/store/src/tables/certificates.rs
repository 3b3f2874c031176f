//! Certificates on record.

use enlist_core::{
    CertificateRecord, DeviceId, GroupId, RevocationReason, Serial, Standing, TenantId, Timestamp,
};

use crate::column::{Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::{Value, number, values};
use crate::{StoreError, Tx};

/// Which certificates are wanted, and how many at once.
#[derive(Debug, Clone, Default)]
pub struct CertificateFilter {
    /// Of the devices that are in this group now.
    pub group: Option<GroupId>,
    /// Of this device only.
    pub device: Option<DeviceId>,
    /// Those that come after this one.
    pub after: Option<Serial>,
    /// That many at most.
    pub limit: usize,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.serial, c.tenant_id, c.device_id, c.issuer_id, c.fingerprint,
                    c.not_before, c.not_after, c.standing, c.standing_since,
                    c.revocation_reason, c.der
             FROM certificates c ",
            $rest
        )
    };
}

static SET_STANDING: Put = Put {
    table: "certificates",
    sql: "UPDATE certificates SET standing = $1, standing_since = $2, revocation_reason = $3
          WHERE tenant_id = $4 AND serial = $5",
    expected: Expected::EachRow,
};

impl Tx<'_> {
    /// A certificate by its serial number. The one lookup that takes no tenant: it is what
    /// tells the tenant of a caller who has shown a certificate.
    pub fn certificate(&mut self, serial: Serial) -> Result<Option<CertificateRecord>, StoreError> {
        self.query_one(
            "certificates",
            select!("WHERE c.serial = $1"),
            values![&serial],
            certificate,
        )
    }

    /// All certificates that a device was ever issued, in the order of their validity.
    pub fn certificates_of(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Vec<CertificateRecord>, StoreError> {
        self.query(
            "certificates",
            select!("WHERE c.tenant_id = $1 AND c.device_id = $2 ORDER BY c.not_before, c.serial"),
            values![&tenant, &device],
            certificate,
        )
    }

    /// A page of the certificates of a tenant, by device and serial number. Nothing comes
    /// after an `after` that is not on record.
    pub fn certificates_page(
        &mut self,
        tenant: TenantId,
        filter: &CertificateFilter,
    ) -> Result<Vec<CertificateRecord>, StoreError> {
        let after = match filter.after {
            None => None,
            Some(serial) => match self.device_of(tenant, serial)? {
                Some(device) => Some((device, serial)),
                None => return Ok(Vec::new()),
            },
        };
        let mut values = vec![Value::from(&tenant)];
        let mut conditions = String::new();
        match (&filter.device, &after) {
            (None, None) => {}
            (Some(device), None) => {
                values.push(device.into());
                conditions.push_str(" AND c.device_id = $2");
            }
            (None, Some((last, serial))) => {
                values.extend_from_slice(values![last, serial]);
                conditions.push_str(" AND (c.device_id, c.serial) > ($2, $3)");
            }
            (Some(device), Some((last, serial))) if device == last => {
                values.extend_from_slice(values![device, serial]);
                conditions.push_str(" AND c.device_id = $2 AND c.serial > $3");
            }
            // A page of one device does not go on after a certificate of another.
            (Some(_), Some(_)) => return Ok(Vec::new()),
        }
        if let Some(group) = &filter.group {
            values.push(group.into());
            conditions.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM devices d WHERE d.tenant_id = c.tenant_id
                   AND d.device_id = c.device_id AND d.group_id = ${})",
                values.len()
            ));
        }
        values.push(number(filter.limit as u64).into());
        let sql = format!(
            "{}{conditions} ORDER BY c.device_id, c.serial LIMIT ${}",
            select!("WHERE c.tenant_id = $1"),
            values.len()
        );
        self.query("certificates", &sql, &values, certificate)
    }

    /// Changes the standing of one certificate, at that time. False where it is not on record.
    pub fn set_standing(
        &mut self,
        tenant: TenantId,
        serial: Serial,
        to: Standing,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (standing, since, reason) = changed_columns(to, at);
        self.put(
            &SET_STANDING,
            values![standing, since, reason, &tenant, &serial],
        )
    }

    /// Changes the standing of all certificates of a device that can take the new one, and says how
    /// many those were. `at` is when they come off hold: on hold go those that are good, off it those that are on hold, and
    /// revoked is whatever is not revoked yet. What has expired by the time of the change stays
    /// as it was.
    pub fn set_standing_of_device(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        to: Standing,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let (standing, since, reason) = changed_columns(to, at);
        let from = match to {
            Standing::Good => "c.standing = 'held'",
            Standing::Held(_) => "c.standing = 'good'",
            Standing::Revoked { .. } => "c.standing <> 'revoked'",
        };
        let sql = format!(
            "UPDATE certificates AS c SET standing = $1, standing_since = $2,
                 revocation_reason = $3
             WHERE c.tenant_id = $4 AND c.device_id = $5 AND {from} AND c.not_after > $6"
        );
        let not_expired_at = match to {
            Standing::Good => Timestamp::from_millis(i64::MIN),
            Standing::Held(at) | Standing::Revoked { at, .. } => at,
        };
        self.execute(
            &sql,
            values![standing, since, reason, &tenant, &device, not_expired_at],
        )
    }

    fn device_of(
        &mut self,
        tenant: TenantId,
        serial: Serial,
    ) -> Result<Option<DeviceId>, StoreError> {
        self.query_one(
            "certificates",
            "SELECT device_id FROM certificates WHERE serial = $1 AND tenant_id = $2",
            values![&serial, &tenant],
            only,
        )
    }
}

pub(super) fn standing_columns(
    standing: Standing,
) -> (&'static str, Option<Timestamp>, Option<i64>) {
    match standing {
        Standing::Good => ("good", None, None),
        Standing::Held(since) => ("held", Some(since), None),
        Standing::Revoked { at, reason } => ("revoked", Some(at), Some(reason.code().into())),
    }
}

/// One that comes off hold says since when: those who tell the world look for what has changed.
fn changed_columns(to: Standing, at: Timestamp) -> (&'static str, Option<Timestamp>, Option<i64>) {
    let (standing, since, reason) = standing_columns(to);
    (standing, since.or(Some(at)), reason)
}

fn certificate(columns: &mut Columns<'_>) -> Result<CertificateRecord, StoreError> {
    Ok(CertificateRecord {
        serial: columns.next()?,
        tenant: columns.next()?,
        device: columns.next()?,
        issuer: columns.next()?,
        fingerprint: columns.next()?,
        not_before: columns.next()?,
        not_after: columns.next()?,
        standing: standing(columns)?,
        der: columns.next()?,
    })
}

pub(super) fn standing(columns: &mut Columns<'_>) -> Result<Standing, StoreError> {
    let kind: String = columns.next()?;
    let since: Option<Timestamp> = columns.next()?;
    let reason: Option<u32> = columns.next()?;
    let reason = reason
        .and_then(|code| u8::try_from(code).ok())
        .and_then(RevocationReason::from_code);
    match (kind.as_str(), since, reason) {
        ("good", ..) => Ok(Standing::Good),
        ("held", Some(since), _) => Ok(Standing::Held(since)),
        ("revoked", Some(at), Some(reason)) => Ok(Standing::Revoked { at, reason }),
        _ => Err(columns.corrupt()),
    }
}
