//! The file as it is written.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use enlist_core::SigningMethod;
use enlist_wire::SecretText;
use serde::{Deserialize, Deserializer, Serialize};

use super::hooks::Hooks;
use super::{AttestationChoice, Button, ConfigError, HardwareSource, SCHEMA_VERSION};

const MAX_LEN: u64 = 1024 * 1024;

/// Makes the struct and the overlay from one list, so that no field can be forgotten.
macro_rules! config_file {
    ($($(#[$attribute:meta])* $field:ident: $type:ty,)*) => {
        /// The file as it is written: every field may be absent.
        ///
        /// Whoever makes files for devices makes them from this.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ConfigFile {
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }

        impl ConfigFile {
            /// This file with every field replaced that `other` has.
            pub(super) fn overlaid_by(self, other: Self) -> Self {
                Self { $($field: other.$field.or(self.$field),)* }
            }
        }
    };
}

config_file! {
    /// The version of this format: [`SCHEMA_VERSION`].
    schema_version: u32,
    /// Where the server is: `https://host[:port]`.
    server_url: String,
    /// Whom to believe: the installation's root, PEM.
    #[serde(deserialize_with = "one_or_many")]
    trust_anchors_pem: Vec<String>,
    /// CAs of server certificates from elsewhere, PEM.
    #[serde(deserialize_with = "one_or_many")]
    service_anchors_pem: Vec<String>,
    /// The tenant; `default` when absent.
    tenant: String,
    /// The group; `default` when absent.
    group: String,
    /// The device's name.
    name: String,
    /// What the name begins with, where the hardware identity makes the rest.
    name_prefix: String,
    /// The hardware identity, or where to read it.
    hardware_id: HardwareSource,
    /// Where the agent keeps what it learns.
    persistent_directory: PathBuf,
    /// Keys that may sign configuration for this device, PEM.
    #[serde(deserialize_with = "one_or_many")]
    public_keys: Vec<String>,
    /// Who signs the group's configuration: `remote`, `local` or `external`; `remote` when absent. With the
    /// last two, commands that destroy and new roots need a signature by one of `public_keys` too.
    signing_method: SigningMethod,
    /// Keys that may sign commands, PEM.
    #[serde(deserialize_with = "one_or_many")]
    command_keys: Vec<String>,
    /// The group's provisioning secret, `eps_…`.
    device_enrollment_token: SecretText,
    /// Pre-enrolled: the device's id.
    device_id: String,
    /// Pre-enrolled: its token, `edt_…`.
    device_token: SecretText,
    /// Pre-enrolled: its certificate, PEM.
    device_certificate_pem: String,
    /// Pre-enrolled: the key of that certificate, PKCS#8 as PEM.
    device_private_key_pem: SecretText,
    /// Absolute path of the identity file, which wins over this one field by field.
    identity_path: PathBuf,
    /// Hours that certificates should last.
    certificate_ttl_h: u32,
    /// Renew when fewer hours than this are left; a third of the lifetime when absent.
    cert_refresh_threshold_h: u32,
    /// Seconds between two questions when there is nothing else to do; 3600 when absent.
    polling_interval_s: u64,
    /// Seconds that one exchange may take; 30 when absent.
    network_timeout_s: u64,
    /// Keep a connection open on which the server can say that there is something to do.
    hold_connection: bool,
    /// Go through once and stop.
    single_check: bool,
    /// Where private keys live: `file`, `tpm`, `pkcs11:…`.
    key_store: String,
    /// How the device proves which hardware it is when it enrolls: `auto`, which is what there is without
    /// it, `none`, `tpm` or `idevid`.
    attestation: AttestationChoice,
    /// The manufacturer's certificate of the device (IEEE 802.1AR) and the CAs above it, PEM.
    idevid_certificate_path: PathBuf,
    /// The key of that certificate: the path of a file, PKCS#8 as PEM, or where it is in the key store.
    idevid_key: String,
    /// What kind of keys are made: `P-256`, which is what there is without it, or `P-384`.
    key_kind: String,
    /// Where certificate and key are put for other programs to read.
    export_directory: PathBuf,
    /// The group that may read them, by name or number.
    export_group: String,
    /// Commands to run when something has happened.
    hooks: Hooks,
    /// What a wipe erases besides the agent's own files.
    wipe_paths: Vec<PathBuf>,
    /// The button that resets or wipes the device.
    button: Button,
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => ConfigError::Absent(path.to_owned()),
            _ => ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            },
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_LEN + 1)
            .read_to_end(&mut text)
            .map_err(unreadable)?;
        if text.len() as u64 > MAX_LEN {
            return Err(ConfigError::TooLarge(path.to_owned()));
        }
        is_object(path, &text)?;
        version(path, &text)?;
        let mut json = serde_json::Deserializer::from_slice(&text);
        let malformed = |field: String, source| ConfigError::Malformed {
            path: path.to_owned(),
            field,
            source,
        };
        let file: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| malformed(error.path().to_string(), error.into_inner()))?;
        json.end().map_err(|error| malformed(".".into(), error))?;
        Ok(file)
    }
}

/// Refuses a list, which would be read as the fields in their order.
fn is_object(path: &Path, text: &[u8]) -> Result<(), ConfigError> {
    if text.trim_ascii_start().first() != Some(&b'[') {
        // Anything else that is no object is refused when the whole is read.
        return Ok(());
    }
    Err(ConfigError::Malformed {
        path: path.to_owned(),
        field: ".".into(),
        source: serde::de::Error::custom(
            "expected an object, {\"schema_version\": 1, …}, not a list",
        ),
    })
}

/// Refuses an unknown version before anything else is read: its other fields may mean other things.
fn version(path: &Path, text: &[u8]) -> Result<(), ConfigError> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: Option<u32>,
    }
    match serde_json::from_slice::<Version>(text) {
        Ok(Version {
            schema_version: Some(found),
        }) if found != SCHEMA_VERSION => Err(ConfigError::SchemaVersion {
            path: path.to_owned(),
            found,
        }),
        // What does not read is reported by the reading of the whole.
        _ => Ok(()),
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(Some(match OneOrMany::deserialize(input)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    }))
}
