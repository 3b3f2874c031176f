//! OCSP requests.

use enlist_pki::ocsp::MAX_OCSP_CERTS;
use enlist_pki::{CertId, DigestKind, IssuerHash, OcspRequest};

use crate::Corpus;
use crate::chains::Hierarchy;
use crate::encode::{SEQUENCE, tlv};

pub fn seeds(corpus: &Corpus, hierarchy: &Hierarchy) {
    let (name, key) = (
        hierarchy.issuing.subject(),
        hierarchy.issuing.public_key().unwrap(),
    );
    let id = |kind, serial: &[u8]| CertId::new(&IssuerHash::of(kind, &name, &key), serial).unwrap();
    let request = |certs: Vec<CertId>, nonce: Option<&[u8]>| {
        let nonce = nonce.map(<[u8]>::to_vec);
        OcspRequest { certs, nonce }.to_der().unwrap()
    };
    let kinds = [
        DigestKind::Sha1,
        DigestKind::Sha256,
        DigestKind::Sha384,
        DigestKind::Sha512,
    ];
    let each = kinds.map(|kind| id(kind, &[7; 16])).to_vec();
    let one = request(vec![id(DigestKind::Sha1, &[3])], None);
    corpus.taken("one", &one);
    corpus.taken("each-digest", &request(each, Some(&[9; 32])));
    let many = |count: usize| {
        let serials = (0..count).map(|serial| u8::try_from(serial + 1).unwrap());
        serials
            .map(|serial| id(DigestKind::Sha1, &[serial]))
            .collect()
    };
    corpus.taken("as-many-as-may-be", &request(many(MAX_OCSP_CERTS), None));
    corpus.refused("too-many", &request(many(MAX_OCSP_CERTS + 1), None));
    let nonce_of = |length: usize| {
        let certs = vec![id(DigestKind::Sha256, &[3])];
        request(certs, Some(&vec![1; length]))
    };
    corpus.taken("longest-nonce", &nonce_of(128));
    corpus.refused("nonce-too-long", &nonce_of(129));
    let no_certs = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&tlv(SEQUENCE, &[])])]);
    corpus.refused("of-nothing", &no_certs);
    corpus.refused("cut-off", &one[..one.len() - 1]);
    corpus.refused("with-more-after-it", &[&one[..], &[0]].concat());
    corpus.refused("nothing", b"");
}
