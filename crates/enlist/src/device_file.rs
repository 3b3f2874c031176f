//! The files that a device is given: configuration and identity.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_core::Name;
use enlist_wire::{Client, PreEnroll, Quadruple, SecretText, Signing, SigningMethod, Uuid};
use serde::Serialize;

use crate::context::Settings;
use crate::files::{Access, Draft, exists_unforced};

/// What the agent reads, field by field. What is `None` is left out, and the agent's default holds.
#[derive(Debug, Default, Serialize)]
pub struct DeviceFile {
    schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trust_anchors_pem: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    service_anchors_pem: Vec<String>,
    tenant: String,
    group: String,
    /// The device's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What its name begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_prefix: Option<Name>,
    /// The hardware identity itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// Where the agent keeps what it learns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_directory: Option<PathBuf>,
    /// Where the agent puts certificate and key for other programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_directory: Option<PathBuf>,
    /// The group's provisioning secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_enrollment_token: Option<SecretText>,
    /// Where the device keeps its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_store: Option<&'static str>,
    /// How it proves which hardware it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<&'static str>,
    /// The certificate that its manufacturer has given it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idevid_certificate_path: Option<PathBuf>,
    /// Where the key of that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idevid_key: Option<String>,
    /// Hours that certificates are to last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_ttl_h: Option<u32>,
    /// Seconds between two looks at the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polling_interval_s: Option<u64>,
    /// Keys that may sign configuration for the device, PEM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    public_keys: Vec<String>,
    /// Who holds them, where that is not the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_method: Option<SigningMethod>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
}

/// The four fields of a pre-enrolled device.
#[derive(Debug, Serialize)]
struct Identity {
    device_id: Uuid,
    device_token: SecretText,
    /// With the issuing CA, so that the device has the whole chain to show.
    device_certificate_pem: String,
    device_private_key_pem: SecretText,
}

impl DeviceFile {
    /// A file for a device of this group, which says nothing else yet.
    pub fn new(tenant: &Name, group: &Name) -> Self {
        Self {
            schema_version: 1,
            tenant: tenant.to_string(),
            group: group.to_string(),
            ..Self::default()
        }
    }

    /// Adds where the server is and whom to believe.
    pub fn with_server(mut self, settings: &Settings) -> anyhow::Result<Self> {
        self.server_url = Some(settings.server.clone());
        self.trust_anchors_pem = one_by_one(&settings.ca_pem)?;
        if let Some(pem) = &settings.service_ca_pem {
            self.service_anchors_pem = one_by_one(pem)?;
        }
        Ok(self)
    }

    /// Adds whose configuration the device is to believe.
    pub fn with_signing(mut self, signing: Signing) -> Self {
        self.public_keys = signing.keys;
        // What the agent takes for granted goes without saying.
        self.signing_method = Some(signing.method).filter(|one| *one != SigningMethod::Remote);
        self
    }

    /// Adds the identity of a pre-enrolled device.
    pub fn with_identity(mut self, quadruple: Quadruple) -> Self {
        // What the device presents: all but the outermost root.
        let between = quadruple
            .chain_pem
            .split_last()
            .map_or(&[][..], |(_, it)| it);
        let presented = quadruple.issuing_ca_pem + &between.concat();
        self.identity = Some(Identity {
            device_id: quadruple.device_id,
            device_token: quadruple.device_token,
            device_certificate_pem: quadruple.device_certificate_pem + &presented,
            device_private_key_pem: quadruple.device_private_key_pem,
        });
        self
    }
}

/// A place for a file, taken before the server is asked for what it is to hold: a full disk or a
/// file in the way is found while there is nothing yet to lose.
pub struct Place {
    draft: Draft,
    path: PathBuf,
    force: bool,
}

impl Place {
    /// Takes the place. A file that is there stays, unless `force` is given.
    pub fn take(path: &Path, force: bool) -> anyhow::Result<Self> {
        if !force && path.symlink_metadata().is_ok() {
            return Err(exists_unforced(path));
        }
        Ok(Self {
            draft: Draft::new(path, Access::Private)?,
            path: path.to_owned(),
            force,
        })
    }

    /// Writes the file, 0600.
    pub fn write(mut self, file: &DeviceFile) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(file).context("the file can't be written")?;
        text.push(b'\n');
        std::io::Write::write_all(&mut self.draft, &text)
            .with_context(|| format!("`{}` can't be written", self.path.display()))?;
        if self.force {
            return self.draft.replace();
        }
        if self.draft.place()? {
            return Ok(());
        }
        Err(exists_unforced(&self.path))
    }
}

/// Makes an identity for a device ahead of its first start.
pub fn pre_enroll(
    client: &Client,
    tenant: &Name,
    group: &Name,
    name: &Name,
    ttl_h: Option<u32>,
) -> anyhow::Result<Quadruple> {
    let request = PreEnroll {
        certificate_ttl_h: ttl_h,
    };
    let (tenant, group) = (tenant.as_str(), group.as_str());
    Ok(client.pre_enroll(tenant, group, name.as_str(), &request)?)
}

fn one_by_one(pem: &str) -> anyhow::Result<Vec<String>> {
    let chain = enlist_pki::chain_from_pem(pem).context("the CA certificate can't be read")?;
    Ok(chain.iter().map(enlist_pki::Certificate::to_pem).collect())
}
