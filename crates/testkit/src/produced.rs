//! Certificates, CRLs and OCSP answers that tests come by, kept for the linter.
//!
//! `cargo xtask check` names a directory in `ENLIST_PRODUCED`, and lints afterwards what lies
//! there. Without it nothing is kept.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use enlist_core::Digest;
use enlist_pki::{Certificate, chain_from_pem};

/// What was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// A certificate.
    Certificate,
    /// A certificate revocation list.
    Crl,
    /// A whole OCSP response, of those that are successful.
    OcspAnswer,
}

/// Keeps the DER of something that the system under test has made. Certificates that others have issued,
/// OpenSSL for a broker say, are passed over: our linter has nothing to tell them.
///
/// # Panics
/// When it can't be written where `ENLIST_PRODUCED` says.
pub fn produced(product: Product, der: &[u8]) {
    let Some(directory) = directory() else { return };
    if product == Product::Certificate && !is_ours(der) {
        return;
    }
    let ending = match product {
        Product::Certificate => "cer",
        Product::Crl => "crl",
        Product::OcspAnswer => "ors",
    };
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(der).as_bytes();
    let name = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let path = directory.join(format!("{name:016x}.{ending}"));
    // Another test may have come by the same.
    match std::fs::File::create_new(path) {
        Ok(mut file) => file.write_all(der).expect("it can be written"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
    }
}

/// Keeps each certificate in a PEM text; a text without any is none of our business.
pub fn produced_text(text: &str) {
    if directory().is_none() {
        return;
    }
    for certificate in chain_from_pem(text).unwrap_or_default() {
        produced(Product::Certificate, certificate.der());
    }
}

/// Keeps each certificate and CRL in the files below a directory, PEM or DER.
pub fn produced_below(directory: &Path) {
    if self::directory().is_none() {
        return;
    }
    let Ok(entries) = directory.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        // What a link points to lies elsewhere.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => produced_below(&entry.path()),
            Ok(kind) if kind.is_file() => produced_in(&entry.path()),
            _ => {}
        }
    }
}

fn produced_in(path: &Path) {
    let Ok(bytes) = std::fs::read(path) else {
        return;
    };
    let crl = path.extension().is_some_and(|ending| ending == "crl");
    if let Ok(text) = std::str::from_utf8(&bytes) {
        produced_text(text);
    } else if crl {
        produced(Product::Crl, &bytes);
    } else if Certificate::from_der(&bytes).is_ok() {
        produced(Product::Certificate, &bytes);
    }
}

/// Whether its issuer has a name as `enlist-ca` gives them. What does not read is the linter's business.
fn is_ours(der: &[u8]) -> bool {
    const NAME: &[u8] = b"Enlist ";
    Certificate::from_der(der).map_or(true, |certificate| {
        let mut issuer = certificate.issuer_der().windows(NAME.len());
        issuer.any(|part| part == NAME)
    })
}

/// Where they are kept, if they are.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os("ENLIST_PRODUCED").map(PathBuf::from)
}
