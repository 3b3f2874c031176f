//! Bodies of EST requests.

use base64ct::{Base64, Encoding as _};
use enlist_keys::FileKey;
use enlist_pki::{Csr, KeyKind, csr};

use crate::Corpus;

pub fn seeds(corpus: &Corpus) {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let der = csr::build(&key, "press-7").unwrap();
    let line = Base64::encode_string(&der);
    let lines = |end: &str| {
        let lines: Vec<_> = line.as_bytes().chunks(64).collect();
        [&lines.join(end.as_bytes())[..], end.as_bytes()].concat()
    };
    let armoured = Csr::from_der(&der).unwrap().to_pem();
    corpus.taken("one-line", line.as_bytes());
    corpus.taken("lines", &lines("\n"));
    corpus.taken("lines-of-windows", &lines("\r\n"));
    corpus.taken("armoured", armoured.as_bytes());
    corpus.refused("der", &der);
    corpus.refused("cut-off", &line.as_bytes()[..line.len() - 1]);
    corpus.refused("url-alphabet", b"AQ-_");
    corpus.refused("armour-without-end", &armoured.as_bytes()[..200]);
    corpus.refused(
        "armour-of-a-certificate",
        armoured.replace(" REQUEST", "").as_bytes(),
    );
    corpus.refused("blank", b" \r\n");
    corpus.refused("nothing", b"");
}
