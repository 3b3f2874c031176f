//! `enlist set group`: other rules for a group.

use enlist_core::Name;
use enlist_wire::{CsrExtras, Enrollment, GroupChange, KeyRotation, OnClone, OnHardwareChange};

use crate::admission_args::AdmissionArgs;
use crate::cli::Global;
use crate::failure::refused;
use crate::output;
use crate::say::say;
use crate::text::one_of;

/// Change the rules of a group; what is not said stays as it is
///
/// They hold for what comes: devices that are in stay in, and certificates stay as they are until they are
/// renewed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SetGroup {
    /// The group
    #[arg(value_name = "NAME")]
    name: Name,
    /// Who gets in with the secret: devices created before, whoever brings it, or whoever brings it once a
    /// person has said yes
    #[arg(long, value_name = "POLICY", value_parser = one_of::<Enrollment>(&["known", "open", "approve"]))]
    enrollment: Option<Enrollment>,
    #[command(flatten)]
    admission: AdmissionArgs,
    /// Whether a second device that claims the same hardware identity is refused
    #[arg(long, value_name = "BOOL")]
    hardware_is_identity: Option<bool>,
    /// What to do when a device seems to have been cloned
    #[arg(long, value_name = "WHAT", value_parser = one_of::<OnClone>(&["alert", "suspend"]))]
    on_clone: Option<OnClone>,
    /// Whether each renewal of a device is onto a new key, or may keep the one it has
    #[arg(long, value_name = "WHAT", value_parser = one_of::<KeyRotation>(&["rotate", "keep"]))]
    key_rotation: Option<KeyRotation>,
    /// What a device does that finds itself on other hardware than it enrolled on
    #[arg(long, value_name = "WHAT", value_parser = one_of::<OnHardwareChange>(&["ask", "refuse", "reenroll"]))]
    on_hardware_change: Option<OnHardwareChange>,
    /// Hours that an enrollment waits for a person
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
    /// Whether certificates are good for a TLS server too
    #[arg(long, value_name = "BOOL")]
    server_auth: Option<bool>,
    /// What follows DEVICE.GROUP.TENANT in the certificate's DNS name; empty for nothing
    #[arg(long, value_name = "SUFFIX")]
    dns_suffix: Option<String>,
    /// What becomes of a certificate request that asks for more than its key
    #[arg(long, value_name = "WHAT", value_parser = one_of::<CsrExtras>(&["ignore", "refuse"]))]
    csr_extras: Option<CsrExtras>,
}

const EXAMPLES: &str = "\
Examples:
  enlist set group field-units --enrollment approve --approval-timeout 48
  enlist set group presses --zero-touch tpm --zero-touch-manifest batch-7
  enlist set group presses --without-proof approve
  enlist set group intake --allocate hash:plant-a,plant-b
  enlist set group intake --allocate label:region --allocate-default elsewhere
  enlist set group intake --allocate none";

impl SetGroup {
    /// Changes the group.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let change = GroupChange {
            enrollment: self.enrollment,
            hardware_is_identity: self.hardware_is_identity,
            on_clone: self.on_clone,
            key_rotation: self.key_rotation,
            on_hardware_change: self.on_hardware_change,
            approval_timeout_h: self.approval_timeout,
            recovery_window_d: self.recovery_window,
            storage_time_d: self.storage_time,
            lifetime_h: self.lifetime,
            max_lifetime_h: self.max_lifetime,
            server_auth: self.server_auth,
            dns_suffix: self.dns_suffix,
            csr_extras: self.csr_extras,
            zero_touch: self.admission.zero_touch(),
            allocation: self.admission.allocation()?,
        };
        if change == GroupChange::default() {
            return Err(refused(
                "invalid-request",
                "say what is to be different: `enlist set group --help` lists what can be"
                    .to_owned(),
            ));
        }
        let (client, tenant) = global.connect()?;
        let changed = client.change_group(tenant.as_str(), self.name.as_str(), &change)?;
        say!("Group `{}` is changed.", self.name);
        match global.output {
            Some(format) => output::one(format, &changed),
            None => Ok(()),
        }
    }
}
