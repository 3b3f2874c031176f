//! A person says yes or no to a device that waits.

use std::time::Duration;

use enlist_attest::approved;
use enlist_core::{Actor, Credential, Device, Digest, Event, Operator, Role, State, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, Signer};
use enlist_store::Tx;

use crate::devices::DeviceView;
use crate::enroll::{let_in_by, request_of};
use crate::issue::Whom;
use crate::{DevicePath, Error, Ops, devices, reason, scope};

/// What a person says to a device that waits.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    /// Why, for the record.
    pub reason: Option<String>,
    /// The code of the application that the person has seen.
    pub code: Option<String>,
}

impl Spoken {
    /// The one that the person has seen may be gone, and another have applied under its name.
    fn is_about(&self, device: &Device) -> Result<(), Error> {
        match (device.state(), &self.code) {
            (State::Pending { code, .. }, Some(seen))
                if !code.as_str().eq_ignore_ascii_case(seen.trim()) =>
            {
                Err(Error::AnotherApplication {
                    name: device.name.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Ops {
    /// Lets a waiting device in: its certificate is made and recorded now, and is the answer to
    /// its next question.
    ///
    /// # Errors
    /// When it is not there, or not waiting, or another one waits under its name.
    pub async fn approve(
        &self,
        who: &Operator,
        path: DevicePath,
        spoken: Spoken,
    ) -> Result<DeviceView, Error> {
        match self.approve_once(who, path.clone(), spoken.clone()).await {
            Err(Error::CaSuperseded) => self.approve_once(who, path, spoken).await,
            outcome => outcome,
        }
    }

    async fn approve_once(
        &self,
        who: &Operator,
        path: DevicePath,
        spoken: Spoken,
    ) -> Result<DeviceView, Error> {
        let (look_who, look_path, look_spoken) = (who.clone(), path.clone(), spoken.clone());
        let (tenant, group, device, application) = self
            .inner
            .store
            .read("approve_look", move |tx| {
                let (tenant, group, device) =
                    scope::device(tx, &look_who, Role::Operator, &look_path)?;
                look_spoken.is_about(&device)?;
                let (device, _) = device.approve(Actor::Server, Timestamp::from_secs(0))?;
                let application =
                    tx.application(tenant.id, device.id)?
                        .ok_or(Error::Inconsistent(
                            "a pending device without an application",
                        ))?;
                Ok::<_, Error>((tenant, group, device, application))
            })
            .await?;
        let csr = Csr::from_der(&application.csr)?;
        let mut verified = approved(&csr, who);
        if application.server_key {
            // The key is made when the device asks for it; until then one stands in that nobody holds.
            let stand_in = FileKey::generate(KeyKind::P256).map_err(Error::signing)?;
            verified = verified.with_server_key(stand_in.public_key().clone());
        }
        let certified = Digest::from_bytes(verified.key().digest());
        let server_key = application.server_key;
        let whom = Whom::from(&device);
        let ttl = application
            .ttl
            .map(|hours| Duration::from_secs(u64::from(hours) * 3600));
        let signed = self.sign(&tenant, &group, whom, &verified, ttl).await?;
        let (who, now, of) = (who.clone(), self.now(), tenant.id);
        let approved = self
            .inner
            .store
            .write("approve", move |tx| {
                let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
                spoken.is_about(&device)?;
                let from = device.state().kind();
                let lapsed =
                    matches!(device.state(), State::Pending { until, .. } if now >= *until);
                let (device, event) = device.approve(Actor::Operator(who.token), now)?;
                let application =
                    tx.application(tenant.id, device.id)?
                        .ok_or(Error::Inconsistent(
                            "a pending device without an application",
                        ))?;
                let key = Digest::from_bytes(csr.public_key().digest());
                if lapsed {
                    return Err(Error::InvalidRequest(
                        "the application has lapsed: the device has to enroll anew".to_owned(),
                    ));
                }
                if application.key != key
                    || application.server_key != server_key
                    || !signed.fits(&tenant, &group, &device)
                {
                    return Err(Error::Busy { retry_after_s: 1 });
                }
                devices::save(tx, &device, from)?;
                let credential = Credential {
                    device: device.id,
                    tenant: tenant.id,
                    enrolled_key: key,
                    token: application.token,
                    previous_token: None,
                    current: signed.slot(certified),
                    previous: None,
                    counter: 0,
                    request: application.server_key.then(|| request_of(&csr)),
                    pre_enrolled: false,
                };
                if !tx.insert_credential(&credential, application.secret)? {
                    return Err(Error::EnrollmentConflict {
                        with: "another device",
                    });
                }
                let certificate = signed.put(tx, &device)?;
                tx.delete_application(tenant.id, device.id)?;
                let secret = match application.secret {
                    Some(secret) => tx.secret(tenant.id, secret)?,
                    None => None,
                };
                let event = let_in_by(event, secret.as_ref()).with("serial", certificate.serial);
                let event = match &device.attested {
                    Some(attested) => event.with("attested", attested),
                    None => event,
                };
                tx.append(&reason::on(event, spoken.reason.as_deref()))?;
                devices::view(tx, &tenant, &group, device)
            })
            .await;
        self.is_superseded_ca(of, &approved).await?;
        approved
    }

    /// Turns a waiting device away. It is gone then; the refusal stays on record.
    ///
    /// # Errors
    /// When it is not there, or not waiting, or another one waits under its name.
    pub async fn reject(
        &self,
        who: &Operator,
        path: DevicePath,
        spoken: Spoken,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("reject", move |tx| {
                let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
                spoken.is_about(&device)?;
                let view = devices::view(tx, &tenant, &group, device.clone())?;
                let event = device.clone().reject(Actor::Operator(who.token), now)?;
                turn_away(tx, &device, &reason::on(event, spoken.reason.as_deref()))?;
                Ok(view)
            })
            .await
    }
}

/// Takes a waiting device off the record, its refusal noted.
pub(crate) fn turn_away(tx: &mut Tx<'_>, device: &Device, event: &Event) -> Result<(), Error> {
    tx.delete_application(device.tenant, device.id)?;
    tx.delete_device(device.tenant, device.id)?;
    tx.append(event)?;
    Ok(())
}
