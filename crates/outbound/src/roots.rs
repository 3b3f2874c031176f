//! The CAs that this system believes.

use enlist_pki::Anchors;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::CallError;

/// Where systems keep them, as one PEM file.
const FILES: [&str; 5] = [
    // Debian, Ubuntu, Arch, Alpine, Gentoo
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // openSUSE
    "/etc/ssl/ca-bundle.pem",
    // macOS, FreeBSD, OpenBSD
    "/etc/ssl/cert.pem",
];

/// Reads them from the first file that has any. One that can't be read is passed over: such lists hold
/// odd ones, which nobody here has chosen.
pub(crate) fn of_system() -> Result<Anchors, CallError> {
    first_of(&FILES)
}

fn first_of(files: &[&str]) -> Result<Anchors, CallError> {
    files
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .map(|bytes| readable(&bytes))
        .find(|anchors| !anchors.is_empty())
        .ok_or(CallError::NoSystemRoots)
}

fn readable(pem: &[u8]) -> Anchors {
    let mut anchors = Anchors::default();
    for der in CertificateDer::pem_slice_iter(pem).flatten() {
        if let Ok(one) = Anchors::from_der([der.as_ref()]) {
            anchors.extend(one);
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_any_is_said_to_be_one() {
        let nowhere = first_of(&["/no/such/place.crt", "/dev/null"]);
        assert!(matches!(nowhere, Err(CallError::NoSystemRoots)));
    }

    #[test]
    fn an_odd_one_does_not_spoil_the_others() {
        let good = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let list = format!("words\n{odd}{}{odd}", good.cert.pem());
        assert!(!readable(list.as_bytes()).is_empty());
        assert!(readable(odd.as_bytes()).is_empty());
        assert!(readable(b"").is_empty());
    }
}
