//! Revocation lists.

use std::sync::LazyLock;

use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Crl, CrlReason, CrlSpec, DistinguishedName, KeyKind, RevokedEntry, Signer, sign_crl,
};

/// A key of this process alone.
static KEY: LazyLock<FileKey> =
    LazyLock::new(|| FileKey::generate(KeyKind::P256).expect("a key can be made"));

static NAME: LazyLock<DistinguishedName> = LazyLock::new(|| {
    DistinguishedName::new(&[(Attribute::CommonName, "Issuer")]).expect("it is a name")
});

/// Reads a revocation list. It was not signed by a key that was made just now, and what it says is
/// the same in a list of our own.
///
/// # Panics
/// When it verifies, or does not say the same.
pub fn crl(data: &[u8]) -> bool {
    let Ok(list) = Crl::from_der(data) else {
        return false;
    };
    assert_eq!(list.der(), data);
    assert_eq!(list.entries().count(), list.len());
    assert!(
        list.verify(KEY.public_key()).is_err(),
        "nobody has signed it"
    );
    let Some(entries) = list.entries().map(ours).collect::<Option<Vec<_>>>() else {
        // Foreign lists may name what we never issue.
        return true;
    };
    let mut entries_der = Vec::new();
    for entry in &entries {
        entry.append_to(&mut entries_der);
    }
    let written = sign_crl(
        &CrlSpec {
            issuer: &NAME,
            authority_key_id: list.authority_key_id().unwrap_or(b"key"),
            number: list.number().unwrap_or(1),
            this_update: list.this_update(),
            next_update: list.next_update(),
            distribution_point: list.distribution_point().filter(|url| is_url(url)),
            entries_der: &entries_der,
        },
        &*KEY,
    )
    .expect("what was read can be written");
    let again = Crl::from_der(&written).expect("what was written can be read");
    again
        .verify(KEY.public_key())
        .expect("what was signed verifies");
    assert_eq!(again.this_update(), list.this_update());
    assert_eq!(again.next_update(), list.next_update());
    assert_eq!(again.number(), list.number().or(Some(1)));
    let read: Vec<_> = again.entries().filter_map(ours).collect();
    assert_eq!(read, entries);
    true
}

fn ours(entry: enlist_pki::CrlEntry<'_>) -> Option<RevokedEntry> {
    let mut serial = [0; 16];
    let start = serial.len().checked_sub(entry.serial.len())?;
    serial[start..].copy_from_slice(entry.serial);
    Some(RevokedEntry {
        serial,
        at: entry.at,
        reason: entry.reason.unwrap_or(CrlReason::Unspecified),
    })
}

fn is_url(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
