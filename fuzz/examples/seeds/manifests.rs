//! Files that manifests are made from, as factories and spreadsheets write them.

use crate::Corpus;

pub fn seeds(corpus: &Corpus) {
    corpus.taken("serials", b"serial\nSN-1\nSN-2\n");
    corpus.taken(
        "of-a-spreadsheet",
        b"\xef\xbb\xbfModel,Serial,TPM EK\r\nx200,\"SN 1, a\",\r\nx200,,ab12\r\n,,\r\n",
    );
    corpus.taken("kind-and-value", b"kind,value\nmac,00:1a:2b:3c:4d:5e");
    corpus.taken(
        "array",
        br#"["serial:SN-1", {"serial": "a\"],"}, {"kind": "mac", "value": "1"}]"#,
    );
    corpus.taken("lines", b"{\"serial\":\"SN-1\"}\n\n\"mac:1\"\n");
    corpus.refused("nothing", b"");
    corpus.refused("without-rows", b"serial\n");
    corpus.refused("unknown-header", b"name,model\na,b\n");
    corpus.refused("two-in-a-row", b"serial,mac\nSN-1,1\n");
    corpus.refused("no-text", b"serial\n\xff\n");
    corpus.refused("cut-off", br#"["serial:SN-1", {"serial": "#);
    corpus.refused("goes-on", br#"["serial:SN-1"] x"#);
    corpus.refused("deep", "[".repeat(5000).as_bytes());
    corpus.refused("a-number", br#"[{"serial": 7}]"#);
}
