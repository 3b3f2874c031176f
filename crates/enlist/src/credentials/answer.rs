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
        if leaf.spki_der() != key.spki_der() {
            return Err(not_taken("is over another key"));
        }
        owner
            .check(&leaf)
            .map_err(|whose| not_taken(&format!("is {whose}")))?;
        let anchors = Anchors::from_pem(&reply.root).context(unreadable)?;
        let now = SystemClock.now().as_secs();
        path::verify(
            leaf.der(),
            &[issuing.to_rustls()],
            &anchors,
            now,
            Usage::Client,
        )
        .context("the certificate in the server's answer is not taken")?;
        Ok(Self {
            certificate_pem: leaf.to_pem() + &issuing.to_pem(),
            ca_pem: issuing.to_pem() + &root.to_pem(),
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
