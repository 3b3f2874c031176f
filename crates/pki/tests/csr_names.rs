//! The names and extensions that CSRs ask for.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Ca, TestKey, openssl_ok, text};
use enlist_pki::{Csr, CsrError, Extension, SubjectName};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

/// A CSR that OpenSSL makes from this section of its configuration.
fn from_config(section: &str) -> Result<Csr, CsrError> {
    let dir = TempDir::new().unwrap();
    let config =
        format!("[req]\nprompt=no\nstring_mask=utf8only\ndistinguished_name=dn\n{section}");
    std::fs::write(dir.path().join("req.cnf"), config).unwrap();
    openssl_ok(dir.path(), "genpkey -algorithm ED25519 -out key.pem");
    let csr = openssl_ok(dir.path(), "req -new -key key.pem -config req.cnf");
    Csr::from_pem(&text(csr))
}

#[test]
fn wildcards_are_names_like_any_other_and_nul_makes_none() {
    let csr = from_config(
        "req_extensions=ext\n[dn]\nCN=*.example\n[ext]\nsubjectAltName=DNS:*.example\n",
    );
    let csr = csr.unwrap();
    assert_eq!(csr.subject_common_name(), Some("*.example"));
    assert_eq!(
        csr.requested().names,
        [SubjectName::Dns("*.example".into())]
    );
    assert!(!csr.requested().is_plain());
    // `press-7` NUL `.example`, for readers that stop at the NUL.
    let san = "3012821070726573732d37002e6578616d706c65";
    let der = format!("req_extensions=ext\n[dn]\nCN=x\n[ext]\nsubjectAltName=DER:{san}\n");
    let csr = from_config(&der).unwrap();
    let [SubjectName::Other(name)] = &csr.requested().names[..] else {
        panic!("{:?}", csr.requested());
    };
    assert!(name.ends_with(b"press-7\0.example"));
}

#[test]
fn an_extension_that_is_asked_for_twice_is_refused() {
    let twice = "req_extensions=ext\n[dn]\nCN=x\n[ext]\n2.5.29.17=DER:3003820178\n1.2.3=DER:0500\n";
    assert!(from_config(twice).is_ok());
    let twice = twice.replace("1.2.3=DER:0500", "subjectAltName=DNS:y");
    assert!(matches!(
        from_config(&twice),
        Err(CsrError::RepeatedExtension)
    ));
}

#[test]
fn names_stand_in_the_certificate_or_they_do_not() {
    let ca = Ca::new();
    let names = [
        SubjectName::Dns("press-7.example".into()),
        SubjectName::Uri("urn:uuid:x".into()),
    ];
    let extension = Extension::subject_names(&names).unwrap();
    // Its subject is `CN=press-7`, as UTF8String.
    let certificate = ca.certify(&TestKey::new(), &[5], &[&extension]);
    let stands = |section: &str| from_config(section).unwrap().names_stand_in(&certificate);
    let ext = "req_extensions=ext\n[dn]\nCN=press-7\n[ext]\nsubjectAltName=";
    assert!(stands("[dn]\nCN=press-7\n"));
    assert!(stands("string_mask=nombstr\n[dn]\nCN=press-7\n"));
    assert!(stands(&format!("{ext}DNS:press-7.example")));
    assert!(stands(&format!("{ext}DNS:press-7.example,URI:urn:uuid:x")));
    for other in [
        "[dn]\nCN=press-8\n".to_owned(),
        "[dn]\nCN=PRESS-7\n".to_owned(),
        "[dn]\nCN=press-7\nO=Other\n".to_owned(),
        "[dn]\nO=press-7\n".to_owned(),
        format!("{ext}DNS:other.example"),
        format!("{ext}DNS:press-7.example,DNS:*.example"),
        format!("{ext}email:press-7@example.com"),
    ] {
        assert!(!stands(&other), "{other}");
    }
    // None at all.
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let key = KeyPair::generate().unwrap();
    let csr = Csr::from_der(params.serialize_request(&key).unwrap().der()).unwrap();
    assert!(csr.names_stand_in(&certificate));
}
