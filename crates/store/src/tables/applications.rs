//! Enrollments that wait for a person.

use enlist_core::{Application, DeviceId, Digest, TenantId};

use super::{device_token, text};
use crate::column::{Columns, only};
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT device_id, tenant_id, enrolling_key, token, csr, secret_id, ttl_h,
                    server_key, source, unproven_group
             FROM applications ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// Adds an application. False where one with the same key waits in its tenant.
    pub fn insert_application(&mut self, application: &Application) -> Result<bool, StoreError> {
        let added = self.execute(
            "INSERT INTO applications (device_id, tenant_id, enrolling_key, token, csr,
                 secret_id, ttl_h, server_key, source, unproven_group)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, enrolling_key) DO NOTHING",
            values![
                &application.device,
                &application.tenant,
                &application.key,
                &device_token::written(application.token),
                &application.csr,
                application.secret.as_ref(),
                application.ttl.map(i64::from),
                application.server_key,
                application.source.map(|source| source.to_string()).as_ref(),
                application.unproven.as_ref()
            ],
        )?;
        Ok(added > 0)
    }

    /// The application of a device. A writing job holds it until the commit.
    pub fn application(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Option<Application>, StoreError> {
        self.query_held(
            "applications",
            select!("WHERE tenant_id = $1 AND device_id = $2"),
            values![&tenant, &device],
            application,
        )
    }

    /// The application for a key. A writing job holds it until the commit.
    pub fn application_by_key(
        &mut self,
        tenant: TenantId,
        key: &Digest,
    ) -> Result<Option<Application>, StoreError> {
        self.query_held(
            "applications",
            select!("WHERE tenant_id = $1 AND enrolling_key = $2"),
            values![&tenant, key],
            application,
        )
    }

    /// What a device that applied says it is, by a proof that nobody who is believed vouches for: the event of
    /// its application tells.
    pub fn unproved_claim(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Option<String>, StoreError> {
        let detail: Option<Option<String>> = self.query_one(
            "events",
            "SELECT detail FROM events
             WHERE tenant_id = $1 AND device_id = $2 AND kind = 'device-applied'
             ORDER BY event_id DESC LIMIT 1",
            values![&tenant, &device],
            only,
        )?;
        let detail = detail.flatten();
        let detail: Option<Vec<(String, String)>> = detail.as_deref().and_then(text::from_json);
        let mut details = detail.into_iter().flatten();
        Ok(details.find_map(|(key, claim)| (key == "unproved").then_some(claim)))
    }

    /// Deletes the application of a device. False where there is none.
    pub fn delete_application(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let gone = self.execute(
            "DELETE FROM applications WHERE tenant_id = $1 AND device_id = $2",
            values![&tenant, &device],
        )?;
        Ok(gone > 0)
    }
}

fn application(columns: &mut Columns<'_>) -> Result<Application, StoreError> {
    Ok(Application {
        device: columns.next()?,
        tenant: columns.next()?,
        key: columns.next()?,
        token: device_token::read(columns.next()?),
        csr: columns.next()?,
        secret: columns.next()?,
        ttl: columns.next()?,
        server_key: columns.next()?,
        source: columns.text_or_null(|text| text.parse().ok())?,
        unproven: columns.next()?,
    })
}
