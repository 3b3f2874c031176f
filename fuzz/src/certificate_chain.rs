//! Certificates, and paths of them to a root.

use std::sync::LazyLock;

use enlist_attest::Idevid;
use enlist_core::{Name, Timestamp};
use enlist_pki::manufacturer::{Manufacturer, Vouching};
use enlist_pki::path::{verify, verify_issued};
use enlist_pki::{Anchors, Certificate, Csr, Usage, certificate::chain_from_der, chain_from_pem};

/// When the certificates of the corpus are valid.
const NOW: i64 = 1_800_000_000;

/// A root whose private key nobody has any more.
static ROOT: LazyLock<Anchors> = LazyLock::new(|| {
    Anchors::from_pem(include_str!("../fixtures/root.pem")).expect("it is a root")
});

/// All that was ever issued below it.
static ISSUED: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    chain_from_pem(include_str!("../fixtures/issued.pem")).expect("they are certificates")
});

/// The same root, as a manufacturer's.
static MANUFACTURER: LazyLock<(Name, Manufacturer)> = LazyLock::new(|| {
    let name = "acme".parse().expect("it is a name");
    let root = Manufacturer::from_pem(include_str!("../fixtures/root.pem"));
    (name, root.expect("it is a root"))
});

/// A device's request.
static CSR: LazyLock<Csr> = LazyLock::new(|| {
    Csr::from_der(include_bytes!("../corpus/csr/taken-p256")).expect("it is a request")
});

/// Reads certificates, PEM or one DER after the other, and says whether the first of them chains to
/// the root: then each on that way was issued. Whatever reads stays the same through PEM.
///
/// # Panics
/// When it does not, or a certificate verifies that was never issued.
pub fn certificate_chain(data: &[u8]) -> bool {
    let read = match std::str::from_utf8(data) {
        Ok(text) => chain_from_pem(text),
        Err(_) => chain_from_der(data).inspect(|chain| {
            let joined: Vec<u8> = chain.iter().flat_map(|one| one.der().to_vec()).collect();
            assert_eq!(joined, data);
        }),
    };
    let Ok(chain) = read else {
        return false;
    };
    for one in &chain {
        assert_eq!(Certificate::from_der(one.der()).ok().as_ref(), Some(one));
        assert_eq!(
            Certificate::from_pem(&one.to_pem()).ok().as_ref(),
            Some(one)
        );
        assert!(one.serial().len() <= data.len());
    }
    for pair in chain.windows(2) {
        if verify_issued(&pair[0], &pair[1], NOW).is_ok() {
            assert_eq!(pair[0].issuer_der(), pair[1].subject_der());
            assert!(pair[1].is_ca() && pair[0].is_current(NOW));
        }
    }
    let Some((leaf, above)) = chain.split_first() else {
        return false;
    };
    vouched(leaf, above);
    let above: Vec<_> = above.iter().map(Certificate::to_rustls).collect();
    let verified = verify(leaf.der(), &above, &ROOT, NOW, Usage::Client).is_ok();
    if verified {
        assert!(ISSUED.contains(leaf), "it verifies and was never issued");
        assert!(leaf.is_current(NOW));
    }
    verified
}

/// What the manufacturer vouches for was issued below it; and the identity of such a device, where it has
/// one, reads the same from its text.
fn vouched(leaf: &Certificate, above: &[Certificate]) {
    let (name, manufacturer) = &*MANUFACTURER;
    let vouched = manufacturer
        .vouches_for(leaf, above, Vouching::Identity, NOW)
        .is_ok();
    if vouched {
        assert!(ISSUED.contains(leaf), "vouched for and never issued");
        assert!(leaf.is_current(NOW) && !leaf.is_ca());
    }
    let shown: Vec<_> = [leaf]
        .into_iter()
        .chain(above)
        .map(|one| one.der().to_vec())
        .collect();
    let Ok(idevid) = Idevid::read(&shown) else {
        return;
    };
    assert!(!idevid.claim().chars().any(char::is_control));
    let now = Timestamp::from_secs(NOW);
    if let Ok(attested) = idevid.verify([(name, manufacturer)], &CSR, now) {
        assert!(vouched, "an identity of one that nobody vouches for");
        let text = attested.identity().to_string();
        assert!(text.starts_with("idevid:acme/"), "{text}");
        assert_eq!(text.parse().as_ref(), Ok(attested.identity()));
    }
}
