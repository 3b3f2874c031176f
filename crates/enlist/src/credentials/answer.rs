//! Taking a certificate from the server.

use anyhow::Context as _;
use enlist_core::{Clock, SystemClock};
use enlist_pki::path::{self, Usage};
use enlist_pki::{Anchors, Certificate, PublicKey};
use enlist_wire::Enrolled;
use serde::{Deserialize, Serialize};

use super::{Owner, Paths};
use crate::failure::refused;
use crate::files::{self, Access};

/// A certificate that is this device's, over its key, from a CA under the root that came with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The certificate and its issuing CA, PEM.
    certificate_pem: String,
    /// The issuing CA and the root, PEM.
    ca_pem: String,
}

impl Answer {
    /// Checks what came: a server that mixes up its answers must not put a wrong certificate beside
    /// a key.
    pub fn checked(reply: &Enrolled, owner: &Owner, key: &PublicKey) -> anyhow::Result<Self> {
        let [leaf, issuing, root] = [&reply.certificate, &reply.issuing_ca, &reply.root]
            .map(|pem| Certificate::from_pem(pem));
        let unreadable = "the server's answer holds a certificate that can't be read";
        let (leaf, issuing) = (leaf.context(unreadable)?, issuing.context(unreadable)?);
        let root = root.context(unreadable)?;
        let above = reply.chain.iter().map(|pem| Certificate::from_pem(pem));
        let above: Vec<_> = above.collect::<Result<_, _>>().context(unreadable)?;
        if leaf.spki_der() != key.spki_der() {
            return Err(not_taken("is over another key"));
        }
        owner
            .check(&leaf)
            .map_err(|whose| not_taken(&format!("is {whose}")))?;
        // The outermost of what stands above it; the installation's root where that has signed it.
        let outermost = above.last().unwrap_or(&root);
        let between = &above[..above.len().saturating_sub(1)];
        let through: Vec<_> = [&issuing].into_iter().chain(between).collect();
        let anchors = Anchors::from_der([outermost.der()]).context(unreadable)?;
        let now = SystemClock.now().as_secs();
        path::verify(
            leaf.der(),
            &through
                .iter()
                .map(|one| one.to_rustls())
                .collect::<Vec<_>>(),
            &anchors,
            now,
            Usage::Client,
        )
        .context("the certificate in the server's answer is not taken")?;
        let pem = |all: &[&Certificate]| all.iter().map(|one| one.to_pem()).collect::<String>();
        let roots: Vec<_> = above.iter().chain([&root]).collect();
        Ok(Self {
            certificate_pem: leaf.to_pem() + &pem(&through),
            ca_pem: issuing.to_pem() + &pem(&roots),
        })
    }

    /// Writes `NAME_ca.pem`, then `NAME_crt.pem`.
    pub fn write(&self, paths: &Paths) -> anyhow::Result<()> {
        files::replace(&paths.ca, self.ca_pem.as_bytes(), Access::Public)?;
        files::replace(
            &paths.certificate,
            self.certificate_pem.as_bytes(),
            Access::Public,
        )
    }
}

fn not_taken(why: &str) -> anyhow::Error {
    refused(
        "answer-refused",
        format!("the certificate in the server's answer {why}; nothing is changed, try again"),
    )
}
