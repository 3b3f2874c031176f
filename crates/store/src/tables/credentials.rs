//! Credentials.

use enlist_core::{
    Credential, DeviceId, Digest, Issued, RenewalRequest, SecretId, Serial, TenantId,
};

use super::device_token;
use crate::column::{Columns, only};
use crate::put_off::{Expected, Put};
use crate::value::values;
use crate::{StoreError, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT device_id, tenant_id, enrolled_key, token, current_serial, current_key,
                    current_not_after, previous_serial, previous_key, previous_not_after,
                    renewal_counter, request_id, request_key, pre_enrolled, previous_token
             FROM credentials ",
            $rest
        )
    };
}

static INSERT: Put = Put {
    table: "credentials",
    sql: "INSERT INTO credentials (device_id, tenant_id, enrolled_key, token, current_serial,
              current_key, current_not_after, previous_serial, previous_key,
              previous_not_after, renewal_counter, request_id, request_key, pre_enrolled,
              previous_token, secret_id)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
          ON CONFLICT (tenant_id, enrolled_key) DO NOTHING",
    expected: Expected::EachRow,
};

static SAVE: Put = Put {
    table: "credentials",
    sql: "UPDATE credentials SET current_serial = $1, current_key = $2,
              current_not_after = $3, previous_serial = $4, previous_key = $5,
              previous_not_after = $6, renewal_counter = $7, request_id = $8,
              request_key = $9, pre_enrolled = $10
          WHERE tenant_id = $11 AND device_id = $12 AND renewal_counter = $13
            AND current_serial = $14",
    expected: Expected::EachRow,
};

impl Tx<'_> {
    /// Adds the credential of a device, and the provisioning secret that it came of. False
    /// where the key is enrolled in its tenant already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the device has a credential.
    pub fn insert_credential(
        &mut self,
        credential: &Credential,
        secret: Option<SecretId>,
    ) -> Result<bool, StoreError> {
        let previous = credential.previous.as_ref();
        let request = credential.request.as_ref();
        self.put(
            &INSERT,
            values![
                &credential.device,
                &credential.tenant,
                &credential.enrolled_key,
                &device_token::written(credential.token),
                &credential.current.serial,
                &credential.current.key,
                credential.current.not_after,
                previous.map(|slot| &slot.serial),
                previous.map(|slot| &slot.key),
                previous.map(|slot| slot.not_after),
                credential.counter.cast_signed(),
                request.map(|request| &request.id),
                request.map(|request| &request.key),
                credential.pre_enrolled,
                credential.previous_token.as_ref(),
                secret.as_ref()
            ],
        )
    }

    /// The credential of a device. A writing job holds it until the commit.
    pub fn credential(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<Option<Credential>, StoreError> {
        self.query_held(
            "credentials",
            select!("WHERE tenant_id = $1 AND device_id = $2"),
            values![&tenant, &device],
            credential,
        )
    }

    /// The credential that a key enrolled. A writing job holds it until the commit.
    pub fn credential_by_key(
        &mut self,
        tenant: TenantId,
        key: &Digest,
    ) -> Result<Option<Credential>, StoreError> {
        self.query_held(
            "credentials",
            select!("WHERE tenant_id = $1 AND enrolled_key = $2"),
            values![&tenant, key],
            credential,
        )
    }

    /// Saves a credential that had this counter and current certificate when it was loaded.
    /// False where it has others by now, or is gone.
    pub fn save_credential(
        &mut self,
        credential: &Credential,
        expected_counter: u64,
        expected_current: Serial,
    ) -> Result<bool, StoreError> {
        let previous = credential.previous.as_ref();
        let request = credential.request.as_ref();
        self.put(
            &SAVE,
            values![
                &credential.current.serial,
                &credential.current.key,
                credential.current.not_after,
                previous.map(|slot| &slot.serial),
                previous.map(|slot| &slot.key),
                previous.map(|slot| slot.not_after),
                credential.counter.cast_signed(),
                request.map(|request| &request.id),
                request.map(|request| &request.key),
                credential.pre_enrolled,
                &credential.tenant,
                &credential.device,
                expected_counter.cast_signed(),
                &expected_current
            ],
        )
    }

    /// Gives a credential another token than `expected`, which stays good beside it. False where it has
    /// another by now, or is gone.
    pub fn replace_token(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        expected: Option<Digest>,
        token: &Digest,
    ) -> Result<bool, StoreError> {
        let replaced = self.execute(
            "UPDATE credentials SET token = $1, previous_token = $2
             WHERE tenant_id = $3 AND device_id = $4 AND token = $5",
            values![
                token,
                expected.as_ref(),
                &tenant,
                &device,
                &device_token::written(expected)
            ],
        )?;
        Ok(replaced > 0)
    }

    /// Forgets the token before `token`. False where there is none, or `token` is no longer the one in
    /// force.
    pub fn retire_previous_token(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        token: &Digest,
    ) -> Result<bool, StoreError> {
        let retired = self.execute(
            "UPDATE credentials SET previous_token = NULL
             WHERE tenant_id = $1 AND device_id = $2 AND token = $3
               AND previous_token IS NOT NULL",
            values![&tenant, &device, token],
        )?;
        Ok(retired > 0)
    }

    /// Forgets the credential of a device; the secret that it came of keeps the count. False where it has
    /// none.
    pub fn delete_credential(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let gone = self.execute_returning(
            "credentials",
            "DELETE FROM credentials WHERE tenant_id = $1 AND device_id = $2
             RETURNING secret_id",
            values![&tenant, &device],
            only::<Option<SecretId>>,
        )?;
        if let Some(Some(secret)) = gone {
            self.keep_count_of_secret(tenant, secret)?;
        }
        Ok(gone.is_some())
    }
}

fn credential(columns: &mut Columns<'_>) -> Result<Credential, StoreError> {
    Ok(Credential {
        device: columns.next()?,
        tenant: columns.next()?,
        enrolled_key: columns.next()?,
        token: device_token::read(columns.next()?),
        current: Issued {
            serial: columns.next()?,
            key: columns.next()?,
            not_after: columns.next()?,
        },
        previous: match (columns.next()?, columns.next()?, columns.next()?) {
            (Some(serial), Some(key), Some(not_after)) => Some(Issued {
                serial,
                key,
                not_after,
            }),
            (None, None, None) => None,
            _ => return Err(columns.corrupt()),
        },
        counter: columns.next::<i64>()?.cast_unsigned(),
        request: match (columns.next()?, columns.next()?) {
            (Some(id), Some(key)) => Some(RenewalRequest { id, key }),
            (None, None) => None,
            _ => return Err(columns.corrupt()),
        },
        pre_enrolled: columns.next()?,
        previous_token: columns.next()?,
    })
}
