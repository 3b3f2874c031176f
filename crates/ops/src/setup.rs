//! The first start: root, service CA, tenant `default` with its issuing CA and group, and the
//! administrator's token, all in one transaction.

use std::path::PathBuf;

use enlist_ca::{CA_KEY, ROOT_KEY, make_root, make_service_ca};
use enlist_core::{
    Actor, ApiToken, ApiTokenId, ApiTokenRecord, CaId, CaKind, CaRecord, CaStanding, Clock,
    EnrollmentPolicy, Event, Group, GroupId, Name, Rng, Role, Serial, SigningKeyRecord, Subject,
    Tenant, TenantId, TenantState, Timestamp,
};
use enlist_keys::WrappingKey;
use enlist_keys::mac::MacKey;
use enlist_store::{Store, Tx};
use secrecy::ExposeSecret;

use crate::authorities::make_issuing;
use crate::ca_keys::{CaKeys, MadeKey};
use crate::{Error, signing};

/// The setting that says that the database was set up: a fixed text, sealed with the wrapping
/// key.
const INSTALLATION: &str = "installation";
const SEALED_TEXT: &[u8] = b"this database was set up with this wrapping key";
/// The setting that holds the sealed key of renewal nonces.
pub(crate) const NONCE_KEY: &str = "nonce-key";

/// What a first start has made.
#[derive(Debug)]
pub struct FirstStart {
    /// The administrator's token, of the whole installation.
    pub admin_token: ApiToken,
    /// The file that it was written to.
    pub admin_token_path: Option<PathBuf>,
}

/// What a server reads of a set-up database when it starts.
pub(crate) struct Installation {
    pub(crate) root: CaRecord,
    pub(crate) next: Option<CaRecord>,
    pub(crate) service: CaRecord,
    pub(crate) issuing: Vec<IssuingStanding>,
    pub(crate) nonce_key: Vec<u8>,
}

/// A record of an issuing CA, its tenant, and how it stands.
pub(crate) type IssuingStanding = (CaId, TenantId, CaStanding);

impl Installation {
    pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        // The root last: where it changes in between, the next look finds the service CA new.
        let service = tx.cas(CaKind::Service, None)?.into_iter().next();
        let mut roots = tx.offered_roots()?;
        let mut take = |standing| {
            let at = roots.iter().position(|root| root.ca.standing == standing)?;
            Some(roots.swap_remove(at).ca)
        };
        let missing = || Error::Inconsistent("the root or the service CA is missing");
        Ok(Self {
            root: take(CaStanding::Current).ok_or_else(missing)?,
            next: take(CaStanding::Next),
            service: service.ok_or_else(missing)?,
            issuing: tx.issuing_standings()?,
            nonce_key: tx
                .setting(NONCE_KEY)?
                .ok_or(Error::Inconsistent("the nonce key is missing"))?,
        })
    }
}

/// The proof that a database was set up, and with which key.
pub(crate) struct Sealed(Vec<u8>);

impl Sealed {
    pub(crate) fn is_sealed_with(&self, wrapping: &WrappingKey) -> bool {
        wrapping
            .open(INSTALLATION, &self.0)
            .is_ok_and(|text| text.expose_secret() == SEALED_TEXT)
    }
}

pub(crate) async fn installation(store: &Store) -> Result<Option<Sealed>, Error> {
    store
        .read("installation", |tx| {
            Ok(tx.setting(INSTALLATION)?.map(Sealed))
        })
        .await
}

/// Everything a new installation starts with.
struct Beginnings {
    tenant: Tenant,
    group: Group,
    cas: Vec<CaRecord>,
    admin: ApiTokenRecord,
    sealed: Vec<u8>,
    nonce_key: Vec<u8>,
    signing_keys: Vec<SigningKeyRecord>,
}

/// Sets a new database up. False where another server has been quicker, and nothing of this one's is on
/// record, nor will be.
pub(crate) async fn set_up(
    store: &Store,
    keys: &CaKeys,
    token: &ApiToken,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<bool, Error> {
    let beginnings = make(keys, token, clock, rng)?;
    let made: Vec<_> = beginnings.cas.iter().map(|ca| ca.key.clone()).collect();
    let ours = beginnings.sealed.clone();
    let recorded = store
        .write("set_up", move |tx| {
            if tx.setting(INSTALLATION)?.is_some() {
                return Ok::<_, Error>(false);
            }
            beginnings.record(tx)?;
            Ok(true)
        })
        .await;
    let is_ours = match recorded {
        Ok(is_ours) => is_ours,
        // Two at the same moment trip over each other's rows; and after a commit that broke off nobody knows.
        // The seal tells: it went in with all the rest, and no two are alike.
        Err(error) => match installation(store).await {
            Ok(Some(Sealed(found))) => found == ours,
            Ok(None) | Err(_) => return Err(error),
        },
    };
    // Where it is not known whether they are on record, they stay.
    if !is_ours {
        keys.discard(&made);
    }
    Ok(is_ours)
}

impl Beginnings {
    fn record(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.put_setting(INSTALLATION, &self.sealed)?;
        tx.put_setting(NONCE_KEY, &self.nonce_key)?;
        tx.insert_tenant(&self.tenant)?;
        for ca in &self.cas {
            tx.insert_ca(ca)?;
        }
        for key in &self.signing_keys {
            tx.insert_signing_key(key)?;
        }
        tx.insert_group(&self.group)?;
        tx.insert_api_token(&self.admin)?;
        let subject = Subject {
            tenant: self.tenant.id,
            group: None,
            device: None,
            name: self.tenant.name.to_string(),
        };
        let at = self.tenant.created_at;
        tx.append(&Event::new("tenant-created", subject, Actor::Server, at))?;
        Ok(())
    }
}

fn make(
    keys: &CaKeys,
    token: &ApiToken,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<Beginnings, Error> {
    let now = clock.now();
    let tenant = Tenant {
        id: TenantId::new(clock, rng),
        name: default_name(),
        state: TenantState::Active,
        created_at: now,
    };
    let root_key = keys.make(ROOT_KEY, rng)?;
    let root = make_root(root_key.signer.clone(), Serial::new(clock, rng), now)?;
    let service_key = keys.make(CA_KEY, rng)?;
    let public_key = service_key.signer.public_key();
    let service = make_service_ca(&root, public_key, Serial::new(clock, rng), now)?;
    let record = |kind, certificate: &[u8], made: MadeKey| CaRecord {
        id: CaId::new(clock, rng),
        tenant: None,
        kind,
        standing: CaStanding::Current,
        certificate: certificate.to_vec(),
        chain: Vec::new(),
        key: made.key,
        created_at: now,
    };
    let cas = vec![
        record(CaKind::Root, root.certificate().der(), root_key),
        record(CaKind::Service, service.der(), service_key),
        make_issuing(&root, keys, &tenant, clock, rng)?,
    ];
    let wrapping = keys.wrapping();
    let nonce_key = MacKey::generate(rng);
    let seal = |label, bytes: &[u8]| wrapping.seal(label, bytes, rng).map_err(Error::signing);
    Ok(Beginnings {
        group: default_group(GroupId::new(clock, rng), tenant.id, now),
        cas,
        admin: ApiTokenRecord {
            id: ApiTokenId::new(clock, rng),
            tenant: None,
            group: None,
            short_id: token.short_id().clone(),
            digest: token.digest(),
            label: "first administrator".to_owned(),
            role: Role::Admin,
            expires_at: None,
            created_at: now,
            withdrawn: false,
        },
        sealed: seal(INSTALLATION, SEALED_TEXT)?,
        signing_keys: signing::make_all(wrapping, tenant.id, clock, rng)?,
        nonce_key: seal(NONCE_KEY, nonce_key.to_bytes().expose_secret())?,
        tenant,
    })
}

/// The group that every tenant comes with.
pub(crate) fn default_group(id: GroupId, tenant: TenantId, now: Timestamp) -> Group {
    Group {
        enrollment: EnrollmentPolicy::Open,
        ..Group::new(id, tenant, default_name(), now)
    }
}

fn default_name() -> Name {
    Name::nearest("default").expect("a lawful name")
}
