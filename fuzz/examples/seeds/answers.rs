//! Answers of hooks, straight and crooked.

use crate::Corpus;

pub fn seeds(corpus: &Corpus) {
    corpus.taken("yes", br#"{"allow":true}"#);
    corpus.taken(
        "no",
        br#"{"allow":false,"reason":"not paid\n","tell":true}"#,
    );
    corpus.taken(
        "everything",
        br#"{"allow":true,"reason":"order 4711","group":"line-4","name":"press-7",
            "labels":{"region":"north","order":"4711"},"configuration":{"rate":9,"a":[1,null]}}"#,
    );
    corpus.taken("nulls", br#"{"allow":true,"group":null,"labels":null}"#);
    corpus.refused("nothing", b"");
    corpus.refused("bare", b"true");
    corpus.refused("a-list", br#"[true,null,false,"line-4"]"#);
    corpus.refused("no-verdict", b"{}");
    corpus.refused("a-text", br#"{"allow":"true"}"#);
    corpus.refused("twice", br#"{"allow":true,"allow":false}"#);
    corpus.refused("more", br#"{"allow":true,"serial":"1"}"#);
    corpus.refused("after-it", br#"{"allow":true} {"allow":false}"#);
    corpus.refused("no-name", br#"{"allow":true,"name":"../../x"}"#);
    corpus.refused("no-label", br#"{"allow":true,"labels":{"":"x"}}"#);
    corpus.refused("steering", br#"{"allow":true,"labels":{"a":"\u001b[2J"}}"#);
    corpus.refused("cut-off", br#"{"allow":true,"configuration":{"rate":"#);
    corpus.refused("not-utf-8", b"{\"allow\":true,\"reason\":\"\xff\"}");
    let deep = format!(
        "{{\"allow\":true,\"configuration\":{}",
        "{\"a\":".repeat(500)
    );
    corpus.refused("deep", deep.as_bytes());
}
