//! Composing store and CAs into a server's operations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use enlist_core::{ApiToken, Clock, Rng};
use enlist_keys::mac::MacKey;
use enlist_keys::{Pkcs11Spec, WrappingKey, WrappingKeyError, file, open_token};
use enlist_store::{Location, Store};
use secrecy::{ExposeSecret, SecretString};

use crate::audit::Audit;
use crate::authorities::Authorities;
use crate::ca_keys::CaKeys;
use crate::census::Counting;
use crate::clock_check::LastFound;
use crate::doorbell::Doorbell;
use crate::enroll::{Filled, KnownGrounds};
use crate::first_files::FirstFiles;
use crate::guard::Guard;
use crate::hooks::Gates;
use crate::nonce::Nonces;
use crate::refusals::Refusals;
use crate::revocation::Revocation;
use crate::setup::{self, FirstStart, Installation};
use crate::signing::SigningKeys;
use crate::tenant_chain::TenantChains;
use crate::webhooks::Teller;
use crate::zero_touch::ReadManufacturers;
use crate::{Error, Inner, Ops, Outbound, StatusConfig};

/// What it takes to open an installation.
pub struct Config {
    /// Where the record is kept.
    pub location: Location,
    /// Where this server keeps its files (`wrapping.key`, `admin.token`, `root.pem`); `None`
    /// keeps nothing, for tests.
    pub data_dir: Option<PathBuf>,
    /// Where the wrapping key comes from.
    pub wrapping: WrappingKeySource,
    /// Where the world learns of revocations.
    pub status: StatusConfig,
    /// The PKCS#11 token that the keys of new CAs are made in; `None` keeps them, wrapped, in the
    /// record.
    pub ca_key_store: Option<Pkcs11Spec>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub rng: Arc<dyn Rng>,
    /// Who calls webhooks and hooks.
    pub outbound: Arc<dyn Outbound>,
}

/// Where the key comes from that wraps all others.
#[derive(Debug, Clone)]
pub enum WrappingKeySource {
    /// `wrapping.key` in the data directory, made at the first start.
    DataDir,
    /// A file that somebody else takes care of.
    File(PathBuf),
    /// A systemd credential: a file whose mode is systemd's affair.
    Credential(PathBuf),
    /// A key or passphrase as it stands.
    Text(SecretString),
}

/// Why an installation can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] enlist_store::OpenError),
    /// The wrapping key can't be had.
    #[error(
        "the database was set up with a wrapping key, and it can't be had: bring it back, or name it with --wrapping-key"
    )]
    WrappingKeyLost(#[source] WrappingKeyError),
    /// The wrapping key can't be made or read.
    #[error("can't use the wrapping key")]
    WrappingKey(#[source] WrappingKeyError),
    /// The file that was named for it is not there.
    #[error(
        "the wrapping key is not where the settings say: bring it there. For a new installation, start the first server without naming one, and then move the `wrapping.key` that it makes in its data directory"
    )]
    NoSuchWrappingKey(#[source] WrappingKeyError),
    /// It is another key.
    #[error("this is not the wrapping key that the database was set up with: bring the right one")]
    WrongWrappingKey,
    /// Another server has set the database up at this very moment.
    #[error(
        "another server is setting this database up: give this one its wrapping key and start it again"
    )]
    SetUpElsewhere,
    /// A file in the data directory can't be written.
    #[error("can't write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The token for the keys of CAs can't be had, or does not hold them. The source says what to do.
    #[error("the keys of this installation's CAs can't be had")]
    CaKeys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the store holds can't be used.
    #[error("can't open what the database holds")]
    Record(#[from] Error),
}

/// Opens an installation, and sets it up where the database is new.
///
/// A database that has been set up is refused without its wrapping key: a second key or a second
/// admin token is never made.
///
/// # Errors
/// Says what is missing and what to do.
pub async fn open(config: Config) -> Result<(Ops, Option<FirstStart>), OpenError> {
    // Before the database is touched: without the key that was named nothing is to come of it.
    let named = named(&config)?;
    let store = Store::open(config.location.clone(), config.rng.clone())?;
    let sealed = setup::installation(&store).await?;
    let mut files = FirstFiles::default();
    let wrapping = match (&sealed, named) {
        (_, Some(named)) => named,
        (Some(_), None) => in_data_directory(&config).map_err(OpenError::WrappingKeyLost)?,
        (None, None) => make_wrapping(&config, &mut files).map_err(OpenError::WrappingKey)?,
    };
    if let Some(sealed) = &sealed
        && !sealed.is_sealed_with(&wrapping)
    {
        return Err(OpenError::WrongWrappingKey);
    }
    let keys = ca_keys(&store, wrapping, &config).await?;
    let first = match sealed {
        Some(_) => None,
        None => Some(set_up(&store, &keys, &config, files).await?),
    };
    let installation = store.read("open", Installation::read).await?;
    let ops = compose(store, keys, &installation, &config)?;
    if let Some(path) = &ops.inner.root_file {
        write_if_other(path, ops.roots_pem().as_bytes())?;
    }
    Ok((ops, first))
}

/// Where the keys of CAs live, found to be as the record has it.
async fn ca_keys(
    store: &Store,
    wrapping: WrappingKey,
    config: &Config,
) -> Result<CaKeys, OpenError> {
    let token = config.ca_key_store.as_ref();
    let token = token
        .map(|spec| open_token(spec, config.rng.clone()))
        .transpose()
        .map_err(|error| OpenError::CaKeys(error.into()))?;
    let keys = CaKeys::new(wrapping, token).map_err(no_ca_keys)?;
    let cas = store
        .read("ca_keys", |tx| Ok::<_, Error>(tx.all_cas()?))
        .await?;
    keys.check(&cas).map_err(no_ca_keys)?;
    Ok(keys)
}

/// The cause alone: what it says to a client, that it is to try again, is of no use to who starts a server.
fn no_ca_keys(error: Error) -> OpenError {
    OpenError::CaKeys(match error {
        Error::Signing(cause) | Error::SignerUnavailable(cause) => cause,
        other => other.into(),
    })
}

fn compose(
    store: Store,
    keys: CaKeys,
    installation: &Installation,
    config: &Config,
) -> Result<Ops, Error> {
    let nonce_key = keys
        .wrapping()
        .open(setup::NONCE_KEY, &installation.nonce_key)
        .map_err(Error::signing)?;
    let nonce_key = MacKey::from_bytes(nonce_key.expose_secret())
        .ok_or(Error::Inconsistent("the nonce key has another length"))?;
    let authorities = Authorities::new(keys, installation)?;
    Ok(Ops {
        inner: Arc::new(Inner {
            store,
            clock: config.clock.clone(),
            rng: config.rng.clone(),
            outbound: config.outbound.clone(),
            hook_gates: Gates::default(),
            filled: Filled::default(),
            teller: Teller::new(&*config.rng),
            authorities,
            nonces: Nonces::new(nonce_key),
            guard: Guard::of_guesses(),
            challenge_guard: Guard::of_challenges(),
            unproven_guard: Guard::of_unproven(),
            refusals: Refusals::default(),
            known_grounds: KnownGrounds::default(),
            clock_off: LastFound::default(),
            signing_keys: SigningKeys::default(),
            audit: Audit::default(),
            counting: Counting::default(),
            doorbell: Doorbell::default(),
            tenant_chains: TenantChains::default(),
            revocation: Revocation::new(config.status.clone()),
            manufacturers: ReadManufacturers::default(),
            root_file: config.data_dir.as_ref().map(|dir| dir.join("root.pem")),
        }),
    })
}

/// The wrapping key, where the settings name one.
fn named(config: &Config) -> Result<Option<WrappingKey>, OpenError> {
    let loaded = match &config.wrapping {
        WrappingKeySource::File(path) => WrappingKey::load(path),
        WrappingKeySource::Credential(path) => WrappingKey::load_credential(path),
        WrappingKeySource::Text(text) => WrappingKey::from_text(text),
        WrappingKeySource::DataDir => return Ok(None),
    };
    loaded.map(Some).map_err(|error| match error {
        WrappingKeyError::Missing(_) => OpenError::NoSuchWrappingKey(error),
        error => OpenError::WrappingKey(error),
    })
}

fn in_data_directory(config: &Config) -> Result<WrappingKey, WrappingKeyError> {
    match &config.data_dir {
        Some(dir) => WrappingKey::load(&in_dir(dir)),
        None => Err(WrappingKeyError::Missing("wrapping.key".into())),
    }
}

fn make_wrapping(config: &Config, files: &mut FirstFiles) -> Result<WrappingKey, WrappingKeyError> {
    match &config.data_dir {
        Some(dir) => files.wrapping_key(in_dir(dir), &*config.rng),
        None => Ok(WrappingKey::generate(&*config.rng)),
    }
}

fn in_dir(dir: &Path) -> PathBuf {
    dir.join("wrapping.key")
}

/// Sets the database up. The admin token is on disk before the record knows it: after a power
/// cut either both are there, or the next start makes new ones.
async fn set_up(
    store: &Store,
    keys: &CaKeys,
    config: &Config,
    mut files: FirstFiles,
) -> Result<FirstStart, OpenError> {
    let token = ApiToken::generate(&*config.rng);
    let path = config.data_dir.as_ref().map(|dir| dir.join("admin.token"));
    if let Some(path) = &path {
        let written = files.admin_token(path, &token);
        written.map_err(|source| OpenError::File {
            path: path.clone(),
            source,
        })?;
    }
    if !setup::set_up(store, keys, &token, &*config.clock, &*config.rng).await? {
        let sealed = setup::installation(store).await?;
        let is_used = sealed.is_some_and(|sealed| sealed.is_sealed_with(keys.wrapping()));
        files.take_back(is_used, &*config.rng);
        return Err(OpenError::SetUpElsewhere);
    }
    Ok(FirstStart {
        admin_token: token,
        admin_token_path: path,
    })
}

pub(crate) fn write_if_other(path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    if std::fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    file::write_private(path, bytes).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}
