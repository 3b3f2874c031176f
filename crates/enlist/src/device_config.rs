//! `enlist gen-device-config`: the configuration file of a device.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::{Name, Role};
use enlist_pki::PublicKey;
use enlist_wire::{Client, Enrollment, NewSecret, Signing, Uuid};

use crate::cli::Global;
use crate::context::management_client;
use crate::device_file::{DeviceFile, Place, pre_enroll};
use crate::failure::{as_part_of, refused};
use crate::group_arg::GroupArg;
use crate::roots::for_devices;
use crate::say::say;
use crate::secret_bounds::{SecretBoundsArgs, say_made};
use crate::secret_file;
use crate::signing::SigningMethod;
use crate::text::{shown, word};

/// What the agent adds to a prefix: a dash, and twelve digits of the hardware identity.
const SUFFIX: usize = 13;

/// Write the configuration file of a device
///
/// With group-enroll the file may go to many devices: it holds a provisioning secret, the one that
/// --secret-file has, or else one of its own, labelled with the name and bounded as you say; and the name is
/// what their names begin with. With pre-enroll it is for one
/// device: the device is created if it is not there, and its identity is made ahead and put in. With
/// zero-touch it may go to any number of devices and holds no secret: each proves which hardware it is, by
/// its TPM, or by its manufacturer's certificate where --idevid-certificate says where that is.
///
/// Address and trust anchors come from the context, or from ENLIST_SERVER and ENLIST_CA.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GenDeviceConfig {
    /// The device's name, or what the names of the group's devices begin with; other characters than
    /// a name may have are mapped to the nearest that it may
    #[arg(long, value_name = "NAME")]
    device_name: String,
    /// How the device is to enroll
    #[arg(long, value_name = "TYPE", value_enum)]
    enrollment_type: EnrollmentType,
    /// The directory on the device where its agent keeps what it learns
    #[arg(long, value_name = "DIR")]
    persist: PathBuf,
    #[command(flatten)]
    group: GroupArg,
    /// With group-enroll: a file with a provisioning secret of the group that is there already; `-` reads it
    /// from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "SecretBoundsArgs")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    bounds: SecretBoundsArgs,
    /// With zero-touch: where the certificate of the device's manufacturer is on the device
    #[arg(long, value_name = "PATH", requires = "idevid_key")]
    idevid_certificate: Option<PathBuf>,
    /// Where the key of that certificate is on the device: a file, or a place in its key store
    #[arg(long, value_name = "PLACE", requires = "idevid_certificate")]
    idevid_key: Option<String>,
    /// Hours that certificates are to last [default: the group's]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: Option<u32>,
    /// The file to write, readable by its owner alone
    #[arg(long, value_name = "FILE", default_value = "config.json")]
    config_path: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist --signing-method=remote gen-device-config --device-name=lamp \\
      --enrollment-type=group-enroll --persist=/var/lib/enlist
  enlist gen-device-config --device-name=lamp --enrollment-type=group-enroll \\
      --persist=/var/lib/enlist -g lamps --expires-in 30d --max-devices 5000
  enlist gen-device-config --device-name=lamp --enrollment-type=group-enroll \\
      --persist=/var/lib/enlist -g lamps --secret-file line-4.secret
  enlist gen-device-config --device-name=press-7 --enrollment-type=pre-enroll \\
      --persist=/var/lib/enlist -g presses --config-path press-7.json
  enlist gen-device-config --device-name=press --enrollment-type=zero-touch \\
      --persist=/var/lib/enlist -g presses";

/// How a device enrolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum EnrollmentType {
    /// By the group's provisioning secret, at its first start
    GroupEnroll,
    /// Ahead: its identity is in the file
    PreEnroll,
    /// By what its hardware proves, without a secret
    ZeroTouch,
}

impl GenDeviceConfig {
    /// Writes the file.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let is_zero_touch = self.enrollment_type == EnrollmentType::ZeroTouch;
        if self.idevid_certificate.is_some() && !is_zero_touch {
            return Err(refused(
                "attestation-arguments",
                "--idevid-certificate goes with --enrollment-type=zero-touch alone",
            ));
        }
        let unbounded = self.bounds.request(None) == NewSecret::default();
        let is_by_secret = self.enrollment_type == EnrollmentType::GroupEnroll;
        if !is_by_secret && (self.secret_file.is_some() || !unbounded) {
            return Err(refused(
                "invalid-request",
                "--secret-file and the bounds of a secret go with --enrollment-type=group-enroll alone",
            ));
        }
        let given = self.secret_file.as_deref().map(secret_file::provisioning);
        let given = given.transpose()?;
        let settings = global.settings()?;
        let client = management_client(&settings)?;
        let settings = for_devices(settings, &client)?;
        let name = self.mapped_name()?;
        let (tenant, group) = (&settings.tenant, &self.group.group);
        let signing = signing(global, &client, tenant, group)?;
        let place = Place::take(&self.config_path, self.force)?;
        let mut file = DeviceFile::new(tenant, group)
            .with_server(&settings)?
            .with_signing(signing);
        file.persistent_directory = Some(self.persist.clone());
        file.certificate_ttl_h = self.ttl;
        match self.enrollment_type {
            EnrollmentType::PreEnroll => {
                let quadruple = pre_enroll(&client, tenant, group, &name, self.ttl)?;
                file.name = Some(name.clone());
                place.write(&file.with_identity(quadruple))?;
            }
            EnrollmentType::GroupEnroll => {
                let known = client
                    .group(tenant.as_str(), group.as_str())
                    .map_err(|error| match given {
                        Some(_) => error.into(),
                        None => as_part_of(Role::Operator, error),
                    })?
                    .enrollment;
                if known == Enrollment::Known {
                    say!(
                        "Group `{group}` lets in only devices that were created before: add them with the hardware that they will be (`enlist add device -g {group} NAME --hardware …`), or take a group made with --enrollment open."
                    );
                }
                file.name_prefix = Some(name.clone());
                if let Some(secret) = given {
                    file.device_enrollment_token = Some(secret.expose().to_owned().into());
                    place.write(&file)?;
                } else {
                    let request = self.bounds.request(Some(name.to_string()));
                    let secret = client.create_secret(tenant.as_str(), group.as_str(), &request)?;
                    file.device_enrollment_token = Some(secret.secret.clone());
                    if let Err(error) = place.write(&file) {
                        return Err(take_back(&client, tenant, group, secret.secret_id, error));
                    }
                    say_made(group, &secret);
                }
            }
            EnrollmentType::ZeroTouch => {
                let known = client.group(tenant.as_str(), group.as_str())?;
                if known.zero_touch.is_none() {
                    say!(
                        "Group `{group}` lets nobody in without a secret yet: `enlist set group {group} --zero-touch tpm` (or idevid) says what proof it takes."
                    );
                }
                file.name_prefix = Some(name.clone());
                self.prove(&mut file);
                place.write(&file)?;
            }
        }
        let path = self.config_path.display();
        match self.enrollment_type {
            EnrollmentType::PreEnroll => {
                say!("`{path}` is the configuration of device `{name}` in group `{group}`.");
            }
            EnrollmentType::GroupEnroll | EnrollmentType::ZeroTouch => say!(
                "`{path}` is the configuration of devices whose names begin with `{name}-`, in group `{group}`."
            ),
        }
        Ok(())
    }

    /// Says how the device proves which hardware it is.
    fn prove(&self, file: &mut DeviceFile) {
        file.idevid_certificate_path
            .clone_from(&self.idevid_certificate);
        file.idevid_key.clone_from(&self.idevid_key);
        let key = self.idevid_key.as_deref().unwrap_or("tpm:");
        // The manufacturer's key and the device's own are in one key store, unless it is a file.
        if key.starts_with("tpm:") {
            file.key_store = Some("tpm");
        }
        file.attestation = Some(match self.idevid_certificate {
            Some(_) => "idevid",
            None => "tpm",
        });
    }

    /// The name to use. It is mapped here and nowhere else, since what is typed here is often the
    /// name of a product.
    fn mapped_name(&self) -> anyhow::Result<Name> {
        let mut name = match self.device_name.parse::<Name>() {
            Ok(name) => name,
            Err(error) => match error.nearest() {
                Some(nearest) => {
                    say!(
                        "`{}` can't be a name; `{nearest}` is used.",
                        shown(&self.device_name)
                    );
                    nearest.clone()
                }
                None => return Err(error.into()),
            },
        };
        let most = Name::MAX - SUFFIX;
        if self.enrollment_type != EnrollmentType::PreEnroll && name.as_str().len() > most {
            name = Name::nearest(&name.as_str()[..most])
                .ok_or_else(|| refused("invalid-name", "nothing is left of the name"))?;
            say!("The agents add to the name, so that it is cut to `{name}`.");
        }
        Ok(name)
    }
}

/// Whose configuration the device is to believe: what the group says, and nothing that contradicts what
/// was typed. Where keys were named, the server can't add one of its own.
fn signing(
    global: &Global,
    client: &Client,
    tenant: &Name,
    group: &Name,
) -> anyhow::Result<Signing> {
    let signing = client.signing(tenant.as_str(), group.as_str())?;
    let typed = global
        .signing
        .signing_method
        .map(SigningMethod::on_the_wire);
    if typed.is_some_and(|typed| typed != signing.method) {
        let method = word(&signing.method);
        return Err(refused(
            "signing-method-mismatch",
            format!(
                "group `{group}` is signed for with --signing-method={method}: say that, or leave it out"
            ),
        ));
    }
    let named = global.signing.named()?;
    if named.is_empty() {
        return Ok(signing);
    }
    for pem in &signing.keys {
        let key = PublicKey::from_pem(pem).context("a key of the group can't be read")?;
        if !named.contains(&key) {
            return Err(refused(
                "signing-key-unknown",
                format!(
                    "the server names a key for group `{group}` that you have not named (`enlist get signing -g {group}` shows them): name every key that the device is to believe, the others than yours with --signing-public-key"
                ),
            ));
        }
    }
    Ok(signing)
}

/// Takes back a secret that did not come into a file: nobody has it, so nobody will miss it.
fn take_back(
    client: &Client,
    tenant: &Name,
    group: &Name,
    id: Uuid,
    error: anyhow::Error,
) -> anyhow::Error {
    match client.delete_secret(tenant.as_str(), group.as_str(), id) {
        Ok(()) => error,
        Err(_) => error.context(format!(
            "the provisioning secret {id} was made for nothing; `enlist delete secret -g {group} {id}` takes it back"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(device_name: &str, enrollment_type: EnrollmentType) -> anyhow::Result<Name> {
        GenDeviceConfig {
            device_name: device_name.to_owned(),
            enrollment_type,
            persist: PathBuf::from("/var/lib/enlist"),
            group: GroupArg {
                group: "default".parse().unwrap(),
            },
            secret_file: None,
            bounds: SecretBoundsArgs::default(),
            idevid_certificate: None,
            idevid_key: None,
            ttl: None,
            config_path: PathBuf::from("config.json"),
            force: false,
        }
        .mapped_name()
    }

    #[test]
    fn a_product_name_becomes_the_nearest_lawful_one() {
        use EnrollmentType::{GroupEnroll, PreEnroll, ZeroTouch};
        let mapped = named("my_device_name", PreEnroll).unwrap();
        assert_eq!(mapped.as_str(), "my-device-name");
        assert!(named("___", PreEnroll).is_err());
        let long = "x".repeat(63);
        assert_eq!(named(&long, PreEnroll).unwrap().as_str(), long);
        let prefix = named(&long, GroupEnroll).unwrap();
        assert_eq!(prefix.as_str().len(), 50, "room for what the agent adds");
        assert_eq!(named(&long, ZeroTouch).unwrap(), prefix);
    }
}
