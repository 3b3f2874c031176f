//! Makes the seeds again: `cargo run -p enlist-fuzz --example seeds`. Each file says in its name whether
//! it is to be taken. The keys that sign here are forgotten at the end.

#![allow(clippy::unwrap_used)]

mod answers;
mod bodies;
mod chains;
mod csrs;
mod encode;
mod lists;
mod manifests;
mod records;
mod requests;
// As the tests of `attest` have it.
#[path = "../../../crates/testkit/src/soft_tpm.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod soft_tpm;
mod tpms;

use std::path::{Path, PathBuf};

/// Where the seeds of one target go.
struct Corpus(PathBuf);

impl Corpus {
    fn new(target: &str) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn taken(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(format!("taken-{name}")), bytes).unwrap();
    }

    fn refused(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(format!("refused-{name}")), bytes).unwrap();
    }
}

fn main() {
    let hierarchy = chains::seeds(&Corpus::new("certificate_chain"));
    chains::wrapped(&Corpus::new("cms"), &hierarchy);
    records::seeds(&Corpus::new("audit"));
    csrs::seeds(&Corpus::new("csr"));
    bodies::seeds(&Corpus::new("est_body"));
    answers::seeds(&Corpus::new("hook_answer"));
    lists::seeds(&Corpus::new("crl"), &hierarchy);
    manifests::seeds(&Corpus::new("manifest"));
    requests::seeds(&Corpus::new("ocsp_request"), &hierarchy);
    tpms::seeds(&Corpus::new("tpm"));
}
