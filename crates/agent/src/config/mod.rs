//! The configuration file, and the optional identity file that wins over it field by field.
//!
//! Both are read and never written. What does not make sense is refused as a whole, with the field and
//! where it stands: a device must not run on half of what it was told.

mod attestation;
mod button;
mod error;
mod export;
mod file;
mod hardware_source;
mod hooks;
mod keys;
mod quadruple;
mod signing_keys;
mod wipe_paths;

use std::path::{Path, PathBuf};
use std::time::Duration;

use enlist_core::{Name, ProvisioningSecret, SigningMethod};
use enlist_keys::StoreSpec;
use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, Certificate, KeyKind};

pub use attestation::{Attestation, AttestationChoice, Idevid, IdevidKey};
pub use button::{Button, ButtonAction, GpioLine, InputKey};
pub use error::ConfigError;
pub use file::ConfigFile;
pub use hardware_source::{FromFile, FromSource, HardwareSource};
pub use hooks::{HookCommand, Hooks};
pub use quadruple::Quadruple;
use signing_keys::signing_keys;
use wipe_paths::MOST_WIPE_PATHS;
pub(crate) use wipe_paths::forbidden;

/// The version of the files that this agent reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything the agent was told, checked.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Where the server is: `https://host[:port]`.
    pub server_url: String,
    /// Whom to believe to be that server.
    pub trust: ServerTrust,
    /// The roots among those, as far as they read as certificates.
    pub roots: Vec<Certificate>,
    /// The tenant to enroll into.
    pub tenant: Name,
    /// The group to enroll into.
    pub group: Name,
    /// The device's name, where it is given.
    pub name: Option<Name>,
    /// What the name begins with, where the hardware identity makes the rest.
    pub name_prefix: Option<Name>,
    /// The hardware identity, or where to read it; absent means wherever one is found.
    pub hardware: Option<HardwareSource>,
    /// Where the agent keeps what it learns.
    pub persistent_directory: PathBuf,
    /// Keys that may sign configuration for this device, PEM.
    pub public_keys: Vec<String>,
    /// Who signs the group's configuration.
    pub signing_method: SigningMethod,
    /// Keys that may sign commands, PEM; none means those that enrollment pins.
    pub command_keys: Vec<String>,
    /// The group's provisioning secret.
    pub enrollment_token: Option<ProvisioningSecret>,
    /// The identity of a pre-enrolled device.
    pub quadruple: Option<Quadruple>,
    /// Hours that certificates should last; absent means what the group's profile says.
    pub certificate_ttl_h: Option<u32>,
    /// Renew when less than this is left; absent means a third of the lifetime.
    pub cert_refresh_threshold: Option<Duration>,
    /// How often to ask the server when there is nothing else to do.
    pub polling_interval: Duration,
    /// How long one exchange with the server may take.
    pub network_timeout: Duration,
    /// Keep a connection open on which the server can say that there is something to do.
    pub hold_connection: bool,
    /// Go through once and stop, rather than run on.
    pub single_check: bool,
    /// Where private keys live.
    pub key_store: StoreSpec,
    /// How the device proves which hardware it is when it enrolls.
    pub attestation: Attestation,
    /// What kind of keys are made.
    pub key_kind: KeyKind,
    /// Where certificate and key are put for other programs to read.
    pub export_directory: Option<PathBuf>,
    /// The group that may read them, by name or number.
    pub export_group: Option<String>,
    /// Commands to run after a new certificate is in place.
    pub after_renew: Vec<HookCommand>,
    /// What a wipe erases besides the agent's own files.
    pub wipe_paths: Vec<PathBuf>,
    /// Commands to run before a wipe erases anything.
    pub before_wipe: Vec<HookCommand>,
    /// How long each of them may take.
    pub before_wipe_limit: Duration,
    /// Asked about each new configuration of the device.
    pub configuration_check: Option<HookCommand>,
    /// How long that may take.
    pub configuration_limit: Duration,
    /// The button that resets or wipes the device.
    pub button: Option<Button>,
    /// The files that this was read from: the configuration file, and the identity file if there is one.
    pub files: Vec<PathBuf>,
}

impl Configuration {
    /// Reads and checks the configuration file at `path` and the identity file it may name.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let base = ConfigFile::read(path)?;
        if base.schema_version.is_none() {
            return Err(ConfigError::missing(path, "schema_version"));
        }
        let Some(identity_path) = base.identity_path.clone() else {
            return base.check(path);
        };
        if !identity_path.is_absolute() {
            return Err(ConfigError::invalid(
                path,
                "identity_path",
                "give an absolute path",
            ));
        }
        let identity = ConfigFile::read(&identity_path)?;
        if identity.identity_path.is_some() {
            return Err(ConfigError::invalid(
                &identity_path,
                "identity_path",
                "an identity file can't name another one",
            ));
        }
        base.overlaid_by(identity).check(path)
    }
}

impl ConfigFile {
    fn check(self, path: &Path) -> Result<Configuration, ConfigError> {
        let quadruple = Quadruple::from_file(path, &self)?;
        let trust = trust(path, &self)?;
        let roots = roots(&self);
        let key_store = keys::store(path, self.key_store.as_deref())?;
        let key_kind = keys::kind(path, self.key_kind.as_deref())?;
        let attestation = Attestation::from_file(path, &self, key_store.kind())?;
        let missing = |field| ConfigError::missing(path, field);
        let server_url = self.server_url.ok_or_else(|| missing("server_url"))?;
        if !server_url.starts_with("https://") {
            let why = "give an address such as https://enlist.example.com:8443";
            return Err(ConfigError::invalid(path, "server_url", why));
        }
        let directory = self
            .persistent_directory
            .ok_or_else(|| missing("persistent_directory"))?;
        let persistent_directory = std::path::absolute(directory)
            .map_err(|why| ConfigError::invalid(path, "persistent_directory", why))?;
        let files = files(path, self.identity_path.as_deref());
        let export_directory = export::directory(
            path,
            self.export_directory,
            &persistent_directory,
            &files[..1],
        )?;
        let enrollment_token = self
            .device_enrollment_token
            .map(|token| ProvisioningSecret::parse(token.expose()))
            .transpose()
            .map_err(|why| ConfigError::invalid(path, "device_enrollment_token", why))?;
        let hours = |field, hours: Option<u32>| match hours {
            Some(0) => Err(ConfigError::invalid(path, field, "give at least one hour")),
            other => Ok(other),
        };
        let seconds = |field, secs: Option<u64>, default| match secs.unwrap_or(default) {
            0 => Err(ConfigError::invalid(
                path,
                field,
                "give at least one second",
            )),
            secs => Ok(Duration::from_secs(secs)),
        };
        if self.wipe_paths.iter().flatten().count() > MOST_WIPE_PATHS {
            let why = format!("list at most {MOST_WIPE_PATHS}: the directories that hold the rest");
            return Err(ConfigError::invalid(path, "wipe_paths", why));
        }
        for listed in self.wipe_paths.iter().flatten() {
            if let Some(why) = forbidden(listed, &persistent_directory, &files[..1]) {
                let why = format!("{}: {why}", listed.display());
                return Err(ConfigError::invalid(path, "wipe_paths", why));
            }
        }
        if let Some(why) = self.button.as_ref().and_then(Button::fault) {
            return Err(ConfigError::invalid(path, "button", why));
        }
        let hooks = self.hooks.unwrap_or_default();
        Ok(Configuration {
            server_url,
            trust,
            roots,
            tenant: name(path, "tenant", self.tenant)?.unwrap_or_else(default_name),
            group: name(path, "group", self.group)?.unwrap_or_else(default_name),
            name: name(path, "name", self.name)?,
            name_prefix: prefix(path, self.name_prefix)?,
            hardware: self.hardware_id,
            persistent_directory,
            public_keys: signing_keys(path, "public_keys", self.public_keys)?,
            signing_method: self.signing_method.unwrap_or_default(),
            command_keys: signing_keys(path, "command_keys", self.command_keys)?,
            enrollment_token,
            quadruple,
            certificate_ttl_h: hours("certificate_ttl_h", self.certificate_ttl_h)?,
            cert_refresh_threshold: hours(
                "cert_refresh_threshold_h",
                self.cert_refresh_threshold_h,
            )?
            .map(|hours| Duration::from_secs(u64::from(hours) * 3600)),
            polling_interval: seconds("polling_interval_s", self.polling_interval_s, 3600)?,
            network_timeout: seconds("network_timeout_s", self.network_timeout_s, 30)?,
            hold_connection: self.hold_connection.unwrap_or(false),
            single_check: self.single_check.unwrap_or(false),
            key_store,
            attestation,
            key_kind,
            export_directory,
            export_group: export::group(path, self.export_group)?,
            after_renew: hooks.after_renew,
            wipe_paths: self.wipe_paths.unwrap_or_default(),
            before_wipe: hooks.before_wipe,
            before_wipe_limit: seconds(
                "hooks.before_wipe_timeout_s",
                hooks.before_wipe_timeout_s,
                60,
            )?,
            configuration_check: hooks.configuration_check,
            configuration_limit: seconds(
                "hooks.configuration_timeout_s",
                hooks.configuration_timeout_s,
                30,
            )?,
            button: self.button,
            files,
        })
    }
}

/// The files that a configuration was read from, the configuration file first.
fn files(path: &Path, identity: Option<&Path>) -> Vec<PathBuf> {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    [Some(path), identity]
        .into_iter()
        .flatten()
        .map(whole)
        .collect()
}

/// Longest prefix that leaves room for a dash and the short form of a hardware identity.
const MAX_PREFIX: usize = Name::MAX - 13;

fn prefix(path: &Path, text: Option<String>) -> Result<Option<Name>, ConfigError> {
    let prefix = name(path, "name_prefix", text)?;
    match &prefix {
        Some(long) if long.as_str().len() > MAX_PREFIX => {
            let why = format!("give at most {MAX_PREFIX} characters, since more are added to it");
            Err(ConfigError::invalid(path, "name_prefix", why))
        }
        _ => Ok(prefix),
    }
}

fn name(
    path: &Path,
    field: &'static str,
    text: Option<String>,
) -> Result<Option<Name>, ConfigError> {
    text.map(Name::try_from)
        .transpose()
        .map_err(|why| ConfigError::invalid(path, field, why))
}

fn default_name() -> Name {
    "default".parse().expect("`default` is a lawful name")
}

/// What does not read as a certificate of today's is an anchor all the same, by name and key.
fn roots(file: &ConfigFile) -> Vec<Certificate> {
    let texts = file.trust_anchors_pem.iter().flatten();
    texts
        .flat_map(|text| enlist_pki::chain_from_pem(text).unwrap_or_default())
        .collect()
}

fn trust(path: &Path, file: &ConfigFile) -> Result<ServerTrust, ConfigError> {
    let anchors = |field, pems: &Option<Vec<String>>| {
        let mut all = Anchors::default();
        for pem in pems.iter().flatten() {
            let more =
                Anchors::from_pem(pem).map_err(|why| ConfigError::invalid(path, field, why))?;
            all.extend(more);
        }
        Ok(all)
    };
    let trust = ServerTrust {
        anchors: anchors("trust_anchors_pem", &file.trust_anchors_pem)?,
        service_anchors: anchors("service_anchors_pem", &file.service_anchors_pem)?,
    };
    if trust.anchors.is_empty() && trust.service_anchors.is_empty() {
        return Err(ConfigError::missing(path, "trust_anchors_pem"));
    }
    Ok(trust)
}
