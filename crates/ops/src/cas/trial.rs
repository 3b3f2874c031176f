//! Whether devices would be believed under a CA, before anybody is told that there is one.

use enlist_ca::{Authority, DeviceSubject, IssuingCa, Pointers};
use enlist_core::{CertificateProfile, DeviceId, Group, Name, Serial, Tenant};
use enlist_pki::Certificate;
use enlist_pki::path::{Anchors, ChainError, Usage, verify};

use super::chain::refused;
use crate::{Error, Ops};

impl Ops {
    /// Issues a certificate as a device of each of `groups` would get, and verifies it by `path`: what
    /// stands above the CA, up to the outermost. Nothing is kept or recorded.
    pub(super) fn try_out(
        &self,
        ca: Authority,
        path: &[&Certificate],
        tenant: &Tenant,
        groups: &[Group],
    ) -> Result<(), Error> {
        let certificate = ca.certificate().clone();
        let ca = IssuingCa::new(ca, &Pointers::default())
            .map_err(|error| refused(&error.to_string()))?;
        let trial = Trial {
            ops: self,
            ca: &ca,
            certificate: &certificate,
            path,
            tenant,
        };
        if groups.is_empty() {
            let name = "default".parse()?;
            return trial.run(&name, &CertificateProfile::default());
        }
        groups
            .iter()
            .try_for_each(|group| trial.run(&group.name, &group.profile))
    }
}

struct Trial<'a> {
    ops: &'a Ops,
    ca: &'a IssuingCa,
    certificate: &'a Certificate,
    path: &'a [&'a Certificate],
    tenant: &'a Tenant,
}

impl Trial<'_> {
    fn run(&self, group: &Name, profile: &CertificateProfile) -> Result<(), Error> {
        let inner = &self.ops.inner;
        let name = "trial".parse()?;
        let subject = DeviceSubject {
            id: DeviceId::new(&*inner.clock, &*inner.rng),
            name: &name,
            group,
            tenant: &self.tenant.name,
            hardware: None,
        };
        let (serial, now) = (Serial::new(&*inner.clock, &*inner.rng), self.ops.now());
        let leaf = self.ca.trial(&subject, profile, serial, now)?;
        let usages: &[Usage] = match profile.server_auth {
            true => &[Usage::Client, Usage::Server],
            false => &[Usage::Client],
        };
        for usage in usages {
            self.verify(&leaf, *usage, now.as_secs())
                .map_err(|error| unbelieved(group, &error))?;
        }
        Ok(())
    }

    fn verify(&self, leaf: &Certificate, usage: Usage, now: i64) -> Result<(), ChainError> {
        let (root, between) = self.path.split_last().ok_or(ChainError::UntrustedIssuer)?;
        let anchors = Anchors::from_der([root.der()])?;
        let mut below_root = vec![self.certificate.to_rustls()];
        below_root.extend(between.iter().map(|one| one.to_rustls()));
        verify(leaf.der(), &below_root, &anchors, now, usage)
    }
}

fn unbelieved(group: &Name, error: &ChainError) -> Error {
    let why = match error {
        ChainError::Other(cause) => format!("{error}: {cause}"),
        error => error.to_string(),
    };
    refused(&format!(
        "devices of group `{group}` would not be believed under it ({why}): neither it nor a CA above it may have an extKeyUsage without what the group's certificates are for (clientAuth; serverAuth where they are for servers), nameConstraints that shut the group's names out, or critical extensions that are not in RFC 5280"
    ))
}
