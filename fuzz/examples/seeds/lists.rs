//! Revocation lists.

use enlist_pki::{CrlReason, CrlSpec, RevokedEntry, sign_crl};

use crate::Corpus;
use crate::chains::Hierarchy;
use crate::encode::replaced;

const NOW: i64 = 1_800_000_000;

pub fn seeds(corpus: &Corpus, hierarchy: &Hierarchy) {
    let reasons = [
        CrlReason::Unspecified,
        CrlReason::KeyCompromise,
        CrlReason::Superseded,
        CrlReason::CessationOfOperation,
        CrlReason::CertificateHold,
    ];
    let mut entries = Vec::new();
    for (number, reason) in (1..).zip(reasons) {
        let entry = RevokedEntry {
            serial: [number * 40; 16],
            at: NOW - i64::from(number),
            reason,
        };
        entry.append_to(&mut entries);
    }
    let list = |distribution_point, entries_der: &[u8]| {
        let issuer = hierarchy.issuing.subject();
        let spec = CrlSpec {
            issuer: &issuer,
            authority_key_id: hierarchy.issuing.subject_key_id().unwrap(),
            number: 1_800_000_000_000,
            this_update: NOW,
            next_update: NOW + 7 * 24 * 3600,
            distribution_point,
            entries_der,
        };
        sign_crl(&spec, &hierarchy.issuing_key).unwrap()
    };
    let full = list(None, &entries);
    corpus.taken("full", &full);
    corpus.taken("empty", &list(None, &[]));
    let part = list(Some("http://enlist.example/crl/1/4/2.crl"), &entries);
    corpus.taken("part", &part);
    corpus.refused("cut-off", &full[..full.len() - 1]);
    corpus.refused("with-more-after-it", &[&full[..], &[0]].concat());
    // deltaCRLIndicator (critical, and unknown here) in place of the issuing distribution point.
    let delta = replaced(&part, &[0x55, 0x1d, 0x1c], &[0x55, 0x1d, 0x1b]);
    corpus.refused("delta", &delta);
    corpus.refused("certificate", hierarchy.device.der());
    corpus.refused("nothing", b"");
}
