//! `enlist add group`.

use enlist_core::Name;
use enlist_wire::{
    CsrExtras, DevicePolicy, Enrollment, KeyRotation, NewGroup, OnClone, OnHardwareChange, Profile,
    Signing, ZeroTouch,
};

use crate::admission_args::AdmissionArgs;
use crate::cli::Global;
use crate::output;
use crate::say::say;
use crate::text::{one_of, word};

/// Create a group and print its provisioning secret, alone
///
/// The secret is shown this once. Whoever holds it can enroll devices into the group, as the
/// enrollment policy says, and do nothing else with it.
///
/// With --signing-method local or external the configuration of its devices is signed by you from then
/// on, and the server can't forge it: only the public key goes there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddGroup {
    /// Its name
    #[arg(value_name = "NAME")]
    name: Name,
    /// Who gets in with the secret: devices created before, whoever brings it, or whoever brings it
    /// once a person has said yes
    #[arg(long, value_name = "POLICY", default_value = "known",
          value_parser = one_of::<Enrollment>(&["known", "open", "approve"]))]
    enrollment: Enrollment,
    #[command(flatten)]
    admission: AdmissionArgs,
    /// Refuse a second device that claims the same hardware identity
    #[arg(long)]
    hardware_is_identity: bool,
    /// What to do when a device seems to have been cloned
    #[arg(long, value_name = "WHAT", default_value = "alert",
          value_parser = one_of::<OnClone>(&["alert", "suspend"]))]
    on_clone: OnClone,
    /// Whether each renewal of a device is onto a new key, or may keep the one it has
    #[arg(long, value_name = "WHAT", default_value = "rotate",
          value_parser = one_of::<KeyRotation>(&["rotate", "keep"]))]
    key_rotation: KeyRotation,
    /// What a device does that finds itself on other hardware than it enrolled on: renew nothing until an
    /// operator accepts it, stop using its credentials, or enroll anew
    #[arg(long, value_name = "WHAT", default_value = "ask",
          value_parser = one_of::<OnHardwareChange>(&["ask", "refuse", "reenroll"]))]
    on_hardware_change: OnHardwareChange,
    /// Hours that an enrollment waits for a person [default: the server's]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    approval_timeout: Option<u32>,
    /// Days after its certificate's expiry in which a device may still renew by token and key
    #[arg(long, value_name = "DAYS")]
    recovery_window: Option<u32>,
    /// Days that a pre-enrolled device may lie in storage before its first start
    #[arg(long, value_name = "DAYS")]
    storage_time: Option<u32>,
    /// Hours that certificates last
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    lifetime: Option<u32>,
    /// The most hours that a device may ask for
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    max_lifetime: Option<u32>,
    /// Make certificates that are good for a TLS server too
    #[arg(long)]
    server_auth: bool,
    /// What follows DEVICE.GROUP.TENANT in the certificate's DNS name
    #[arg(long, value_name = "SUFFIX")]
    dns_suffix: Option<String>,
    /// What becomes of a certificate request that asks for more than its key
    #[arg(long, value_name = "WHAT", default_value = "ignore",
          value_parser = one_of::<CsrExtras>(&["ignore", "refuse"]))]
    csr_extras: CsrExtras,
    /// Make no provisioning secret yet
    #[arg(long)]
    no_secret: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist add group room2-lights > secret.txt
  enlist add group field-units --enrollment approve --approval-timeout 48
  enlist add group gateways --zero-touch tpm --without-proof approve --no-secret
  enlist add group intake --enrollment open --allocate hash:plant-a,plant-b
  enlist add group presses --signing-method local --signing-key signing.pem
  enlist add group brokers --server-auth --dns-suffix devices.example.com --lifetime 720";

impl AddGroup {
    /// Creates the group.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let signing = Signing {
            method: global.signing.method().on_the_wire(),
            keys: global.signing.public_keys()?,
        };
        let group = NewGroup {
            signing,
            ..self.into_request()?
        };
        let created = client.create_group(tenant.as_str(), &group)?;
        let name = &group.name;
        say!(
            "Group `{name}` is there (enrollment: {}).",
            word(&created.group.enrollment)
        );
        match (&created.secret, global.output) {
            (Some(secret), format) => output::once(
                format,
                &created,
                &secret.secret,
                &format!("`enlist refresh provision-secret {name}`"),
            ),
            (None, Some(format)) => output::one(format, &created.group),
            (None, None) => Ok(()),
        }
    }

    fn into_request(self) -> anyhow::Result<NewGroup> {
        let mut group = NewGroup::named(self.name);
        group.allocation = self.admission.allocation()?;
        group.zero_touch = self.admission.zero_touch().map(|asked| ZeroTouch {
            accept: asked.accept.unwrap_or_default(),
            manifest: asked.manifest.filter(|name| !name.is_empty()),
            without_proof: asked.without_proof.unwrap_or_default(),
        });
        group.enrollment = self.enrollment;
        group.hardware_is_identity = self.hardware_is_identity;
        group.on_clone = self.on_clone;
        group.policy = DevicePolicy {
            key_rotation: self.key_rotation,
            on_hardware_change: self.on_hardware_change,
        };
        group.approval_timeout_h = self.approval_timeout;
        if let Some(days) = self.recovery_window {
            group.recovery_window_d = days;
        }
        if let Some(days) = self.storage_time {
            group.storage_time_d = days;
        }
        let defaults = Profile::default();
        group.profile = Profile {
            lifetime_h: self.lifetime.unwrap_or(defaults.lifetime_h),
            max_lifetime_h: self.max_lifetime,
            server_auth: self.server_auth,
            dns_suffix: self.dns_suffix,
            csr_extras: self.csr_extras,
        };
        group.secret = !self.no_secret;
        Ok(group)
    }
}
