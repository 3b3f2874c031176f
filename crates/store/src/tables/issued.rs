//! What a CA has issued.

use enlist_core::{CaId, CertificateRecord, Timestamp};

use super::certificates::standing_columns;
use crate::column::{Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::values;
use crate::{StoreError, Tx};

static RECORD: Put = Put {
    table: "certificates",
    sql: "INSERT INTO certificates (serial, tenant_id, device_id, issuer_id, fingerprint,
              not_before, not_after, standing, standing_since, revocation_reason, der)
          SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
          WHERE EXISTS (SELECT 1 FROM cas WHERE ca_id = $4 AND standing = 'current')",
    expected: Expected::EachRow,
};

/// The same where the look comes before: with the look in it, SQLite keeps a copy of each page that it changes.
const RECORD_BARELY: &str = "INSERT INTO certificates (serial, tenant_id, device_id, issuer_id,
         fingerprint, not_before, not_after, standing, standing_since, revocation_reason, der)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

impl Tx<'_> {
    /// Records a certificate, if the CA that signed it still is one that issues. False where it is not:
    /// the job has to fail then, and the certificate is thrown away.
    ///
    /// A retirement that is being committed at this very moment is not waited for. What slips in is a
    /// good certificate of a CA that is known for as long as anything under it is valid.
    #[must_use = "a certificate that was not recorded is not issued"]
    pub fn record_certificate(
        &mut self,
        certificate: &CertificateRecord,
    ) -> Result<bool, StoreError> {
        let (standing, since, reason) = standing_columns(certificate.standing);
        let values = values![
            &certificate.serial,
            &certificate.tenant,
            &certificate.device,
            &certificate.issuer,
            &certificate.fingerprint,
            certificate.not_before,
            certificate.not_after,
            standing,
            since,
            reason,
            &certificate.der
        ];
        if self.puts_off() {
            return self.put(&RECORD, values);
        }
        let issues = self.query_one(
            "cas",
            "SELECT ca_id FROM cas WHERE ca_id = $1 AND standing = 'current'",
            values![&certificate.issuer],
            only::<CaId>,
        )?;
        Ok(issues.is_some() && self.execute(RECORD_BARELY, values)? > 0)
    }

    /// Until when the last certificate of a CA is valid; `None` where it has issued none.
    pub fn last_expiry(&mut self, issuer: CaId) -> Result<Option<Timestamp>, StoreError> {
        let found = self.query_one(
            "certificates",
            "SELECT MAX(not_after) FROM certificates WHERE issuer_id = $1",
            values![&issuer],
            |columns: &mut Columns<'_>| columns.next::<Option<Timestamp>>(),
        )?;
        Ok(found.flatten())
    }

    /// How many certificates of a CA have not expired at `now`, whatever their standing.
    pub fn unexpired(&mut self, issuer: CaId, now: Timestamp) -> Result<u64, StoreError> {
        let found: Option<i64> = self.query_one(
            "certificates",
            "SELECT COUNT(*) FROM certificates WHERE issuer_id = $1 AND not_after > $2",
            values![&issuer, now],
            only,
        )?;
        Ok(found.unwrap_or_default().unsigned_abs())
    }
}
