use enlist_core::{DeviceId, InvalidName, Name};
use enlist_pki::path::{self, Anchors};
use enlist_pki::{Certificate, CertificateError, ChainError, PublicKey, SubjectName, Usage};
use enlist_wire::{Enrolled, Time};

use crate::machine::{Granted, Validity};

/// Why a reply is not taken, although the server said that it went well.
#[derive(Debug, thiserror::Error)]
pub enum BadReply {
    /// One of its certificates can't be read.
    #[error("its {what} can't be read")]
    Unreadable {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// The certificate is for a key that this device did not ask for.
    #[error("its certificate is over another key")]
    AnotherKey,
    /// The certificate, or the reply, is for another device.
    #[error("it is for another device")]
    AnotherDevice,
    /// The certificates do not hang together, or not below anything that is trusted here.
    #[error("its certificates do not chain to what is trusted here")]
    Untrusted(#[source] ChainError),
    /// A name in it is none.
    #[error("its {what} is no name")]
    NoName {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: InvalidName,
    },
}

/// Checks a reply: the certificate must be over `key`, name the device that the reply names (and that
/// must be `device`, where this one knows who it is), and chain to `anchors`.
pub(super) fn granted(
    reply: &Enrolled,
    key: &PublicKey,
    device: Option<DeviceId>,
    anchors: &Anchors,
) -> Result<Granted, BadReply> {
    let leaf = read("certificate", &reply.certificate)?;
    let issuing = read("issuing CA", &reply.issuing_ca)?;
    let root = read("root", &reply.root)?;
    if leaf.spki_der() != key.spki_der() {
        return Err(BadReply::AnotherKey);
    }
    let device_id = DeviceId::from_bytes(reply.device_id.into_bytes());
    let uri = SubjectName::Uri(format!("urn:uuid:{device_id}"));
    if device.is_some_and(|own| own != device_id) || !leaf.names().contains(&uri) {
        return Err(BadReply::AnotherDevice);
    }
    let above = above(&reply.chain)?;
    chain(&leaf, &issuing, &above, &root, anchors).map_err(BadReply::Untrusted)?;
    let between = above.iter().take(above.len().saturating_sub(1));
    let roots = above.iter().chain([&root]);
    Ok(Granted {
        device_id,
        tenant: name("tenant", &reply.tenant)?,
        group: name("group", &reply.group)?,
        name: name("name", &reply.name)?,
        validity: Validity {
            serial: leaf.serial_hex(),
            not_before: leaf.not_before(),
            not_after: leaf.not_after(),
            skew: 0,
        },
        certificate_pem: pem([&leaf, &issuing].into_iter().chain(between)),
        ca_pem: pem([&issuing].into_iter().chain(roots)),
        issued_at: issued_at(reply, &leaf),
        command_keys: command_keys(&reply.command_keys),
        policy: reply.policy,
    })
}

/// The most seconds that a certificate is taken to have been valid before it was issued.
const MOST_BACKDATED_S: i64 = 3600;

/// When the certificate was issued. What a server says of that has to go with the certificate, or it would
/// make the device deaf to every command.
fn issued_at(reply: &Enrolled, leaf: &Certificate) -> i64 {
    let start = leaf.not_before();
    let said = reply.issued_at.map_or(start, Time::as_secs);
    said.clamp(start, start.saturating_add(MOST_BACKDATED_S))
}

/// The most keys that may sign commands.
const MOST_KEYS: usize = 8;

/// Those that are keys.
fn command_keys(keys: &[String]) -> Vec<String> {
    let read = keys.iter().filter_map(|pem| PublicKey::from_pem(pem).ok());
    read.take(MOST_KEYS).map(|key| key.to_pem()).collect()
}

/// The most certificates above an issuing CA.
const MOST_ABOVE: usize = 8;

/// What stands above the issuing CA where a root from outside has signed it.
fn above(chain: &[String]) -> Result<Vec<Certificate>, BadReply> {
    let read = |pem: &String| read("chain", pem);
    if chain.len() > MOST_ABOVE {
        return Err(BadReply::Untrusted(ChainError::UntrustedIssuer));
    }
    chain.iter().map(read).collect()
}

fn pem<'a>(certificates: impl Iterator<Item = &'a Certificate>) -> String {
    certificates.map(Certificate::to_pem).collect()
}

/// The clock of the device has no say here: the chain is looked at when its youngest certificate becomes
/// valid, since the certificate of a device is backdated and may be older than a new CA.
fn chain(
    leaf: &Certificate,
    issuing: &Certificate,
    above: &[Certificate],
    root: &Certificate,
    anchors: &Anchors,
) -> Result<(), ChainError> {
    let mut all = vec![leaf, issuing];
    match above {
        [] => all.push(root),
        above => all.extend(above),
    }
    let at = all.iter().map(|one| one.not_before()).max();
    let at = at.unwrap_or_default();
    path::verify_up_to_root(&all, at)?;
    if !above.is_empty() {
        // Which root from outside signs for a tenant is its operators' choice. The device hears of it
        // from a server that it has reason to believe, and believes nobody because of it.
        return Ok(());
    }
    if anchors.is_empty() {
        // The server's certificate comes from elsewhere, and no root was given to compare with.
        return Ok(());
    }
    path::verify(
        leaf.der(),
        &[issuing.to_rustls()],
        anchors,
        at,
        Usage::Client,
    )
}

fn read(what: &'static str, pem: &str) -> Result<Certificate, BadReply> {
    Certificate::from_pem(pem).map_err(|source| BadReply::Unreadable { what, source })
}

fn name(what: &'static str, text: &str) -> Result<String, BadReply> {
    match text.parse::<Name>() {
        Ok(name) => Ok(name.into()),
        Err(source) => Err(BadReply::NoName { what, source }),
    }
}
