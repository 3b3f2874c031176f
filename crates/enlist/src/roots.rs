//! The roots that the command line believes, and those that it puts into device files.

use enlist_core::{Clock, SystemClock};
use enlist_pki::path::{Anchors, takes_root};
use enlist_pki::{Certificate, chain_from_pem};
use enlist_wire::{Client, Root, RootStanding};

use crate::context::{Contexts, Settings};
use crate::say::say;

/// Adds what a root that is believed vouches for to every saved context that believes the same as
/// `settings`, as a device would. Says what to do where they come from elsewhere.
pub fn take_up(settings: &Settings, roots: &[Root]) -> anyhow::Result<()> {
    let Some(extended) = vouched_for(&settings.ca_pem, roots)? else {
        return Ok(());
    };
    let mut contexts = Contexts::load()?;
    let mut names = Vec::new();
    for (name, context) in &mut contexts.contexts {
        if context.ca_pem == settings.ca_pem {
            context.ca_pem.clone_from(&extended);
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        say!(
            "The trust anchors here come from ENLIST_CA: `enlist get roots > root.pem` writes the new ones, and after the rollover only they will do."
        );
        return Ok(());
    }
    contexts.save()?;
    say!(
        "The next root is vouched for by the one known here; believed from now on in {}.",
        names.join(", ")
    );
    Ok(())
}

/// The settings with the anchors that a new device should have: those known here and what they vouch
/// for, less what is retired.
pub fn for_devices(mut settings: Settings, client: &Client) -> anyhow::Result<Settings> {
    let roots = client.roots()?.items;
    if let Some(extended) = vouched_for(&settings.ca_pem, &roots)? {
        settings.ca_pem = extended;
    }
    let retired = |one: &Certificate| {
        let fingerprint = one.fingerprint_hex();
        roots
            .iter()
            .any(|root| root.fingerprint == fingerprint && root.standing == RootStanding::Retired)
    };
    let mut anchors = chain_from_pem(&settings.ca_pem)?;
    if anchors.iter().any(|one| !retired(one)) {
        anchors.retain(|one| !retired(one));
    }
    settings.ca_pem = anchors.iter().map(Certificate::to_pem).collect();
    Ok(settings)
}

/// `ca_pem` and the roots that it vouches for; `None` where there is nothing to add.
fn vouched_for(ca_pem: &str, roots: &[Root]) -> anyhow::Result<Option<String>> {
    let mut held = Anchors::from_pem(ca_pem)?;
    let mut known = chain_from_pem(ca_pem)?;
    let before = known.len();
    let now = SystemClock.now().as_secs();
    // Newest first they come; each is vouched for by the one before it.
    for root in roots.iter().rev() {
        let (RootStanding::Current | RootStanding::Next, Some(cross)) =
            (root.standing, &root.cross)
        else {
            continue;
        };
        let certificate = Certificate::from_pem(&root.certificate)?;
        let cross = Certificate::from_pem(cross)?;
        if known.contains(&certificate) || takes_root(&certificate, &cross, &held, now).is_err() {
            continue;
        }
        held.extend(Anchors::from_der([certificate.der()])?);
        known.push(certificate);
    }
    if known.len() == before {
        return Ok(None);
    }
    Ok(Some(known.iter().map(Certificate::to_pem).collect()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use enlist_pki::{
        Attribute, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyUse, PublicKey,
        Signer, sign_certificate,
    };
    use enlist_wire::Time;

    use super::*;

    struct Ca {
        name: DistinguishedName,
        key: Arc<enlist_keys::FileKey>,
    }

    impl Ca {
        fn new(name: &str) -> Self {
            Self {
                name: DistinguishedName::new(&[(Attribute::CommonName, name)]).unwrap(),
                key: Arc::new(enlist_keys::FileKey::generate(KeyKind::P256).unwrap()),
            }
        }

        fn certify(&self, name: &DistinguishedName, key: &PublicKey) -> Certificate {
            let now = SystemClock.now().as_secs();
            sign_certificate(
                &CertificateSpec {
                    serial: &[1],
                    issuer: &self.name,
                    subject: name,
                    public_key: key,
                    not_before: now - 60,
                    not_after: now + 3600,
                    extensions: &[
                        &Extension::certificate_authority(None).unwrap(),
                        &Extension::key_usage(&[KeyUse::CertificateSigning]).unwrap(),
                    ],
                },
                &*self.key,
            )
            .unwrap()
        }

        fn root(&self) -> Certificate {
            self.certify(&self.name, self.key.public_key())
        }
    }

    fn shown(root: &Ca, cross: Option<&Ca>, standing: RootStanding) -> Root {
        let certificate = root.root();
        Root {
            fingerprint: certificate.fingerprint_hex(),
            standing,
            certificate: certificate.to_pem(),
            cross: cross.map(|old| old.certify(&root.name, root.key.public_key()).to_pem()),
            created_at: Time::from_secs(0),
            not_after: Time::from_secs(certificate.not_after()),
            retired_at: None,
            offline: false,
        }
    }

    #[test]
    fn only_what_a_known_root_vouches_for_is_added() {
        let (old, new, stranger) = (Ca::new("old"), Ca::new("new"), Ca::new("stranger"));
        let known = old.root().to_pem();
        let first = shown(&old, None, RootStanding::Current);

        let next = shown(&new, Some(&old), RootStanding::Next);
        let extended = vouched_for(&known, &[next.clone(), first.clone()]).unwrap();
        assert_eq!(extended, Some(known.clone() + &next.certificate));

        let forged = shown(&new, Some(&stranger), RootStanding::Next);
        assert_eq!(vouched_for(&known, &[forged, first.clone()]).unwrap(), None);
        let alone = shown(&stranger, None, RootStanding::Next);
        assert_eq!(vouched_for(&known, &[alone, first]).unwrap(), None);
    }
}
