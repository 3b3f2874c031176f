//! Whom the device believes, and how it comes to believe a new root.
//!
//! The roots of the configuration file are believed always. A server may offer another one: it is taken
//! only where a root that is believed already has signed its name and key, and where the group signs for
//! itself only with the group's own yes. What was taken is kept in `anchors.pem`, beside the file, which
//! is never touched.

mod offer;

use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, Certificate};

use crate::config::Configuration;

pub use offer::{Approval, RootRefused};

/// The most roots that a server is told of.
const MOST_TOLD: usize = 16;

/// Every anchor of the device.
#[derive(Clone, Debug)]
pub struct Trusted {
    configured: ServerTrust,
    /// The roots of the configuration file, as far as they read as certificates.
    roots: Vec<Certificate>,
    /// Those that were taken since.
    taken: Vec<Certificate>,
    all: Anchors,
}

impl Trusted {
    /// The anchors of the configuration file, and those in `kept`: the content of `anchors.pem`.
    #[must_use]
    pub fn new(configuration: &Configuration, kept: Option<&[u8]>) -> Self {
        let text = kept.map(String::from_utf8_lossy).unwrap_or_default();
        let mut trusted = Self {
            configured: configuration.trust.clone(),
            roots: configuration.roots.clone(),
            taken: Vec::new(),
            all: configuration.trust.anchors.clone(),
        };
        for root in enlist_pki::chain_from_pem(&text).unwrap_or_default() {
            trusted.add(root);
        }
        trusted
    }

    /// Whom to believe to be the server.
    #[must_use]
    pub fn server(&self) -> ServerTrust {
        ServerTrust {
            anchors: self.all.clone(),
            service_anchors: self.configured.service_anchors.clone(),
        }
    }

    /// The roots under which certificates are issued.
    #[must_use]
    pub fn anchors(&self) -> &Anchors {
        &self.all
    }

    /// How many roots are believed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.held().count()
    }

    /// SHA-256 of each root, lowercase hexadecimal; the youngest, where there are more than anybody
    /// wants to know.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let all: Vec<_> = self.held().collect();
        all.into_iter()
            .rev()
            .take(MOST_TOLD)
            .map(Certificate::fingerprint_hex)
            .collect()
    }

    /// What `anchors.pem` has to hold for `root` to be believed too.
    #[must_use]
    pub fn kept_with(&self, root: &Certificate) -> String {
        let taken = self.taken.iter().chain([root]);
        taken.map(Certificate::to_pem).collect()
    }

    /// Believes `root` from now on.
    pub fn add(&mut self, root: Certificate) {
        if self.held().any(|held| *held == root) {
            return;
        }
        if let Ok(more) = Anchors::from_der([root.der()]) {
            self.all.extend(more);
            self.taken.push(root);
        }
    }

    /// The roots among them, as far as they read as certificates.
    pub fn held(&self) -> impl Iterator<Item = &Certificate> {
        self.roots.iter().chain(&self.taken)
    }
}
