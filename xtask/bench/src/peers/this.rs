//! This program as one of those that are measured.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, csr};
use enlist_wire::{Binary, Enrolled, RenewRequest, Uuid};

use super::authority;
use super::candidate::{Candidate, Certified};
use super::errands::Errand;
use crate::newcomers::Newcomers;
use crate::served::{Served, tls_as};
use crate::{http, scratch};

/// A running `enlist serve`, with a group that lets in whoever has its secret.
pub(super) struct This {
    pub(super) server: Served,
    newcomers: Newcomers,
}

impl This {
    /// Starts one on an empty directory, traced into a file where one is named.
    pub(super) fn start(trace: Option<&Path>) -> Result<Self> {
        let directory = scratch::directory()?;
        Self::of(Served::traced(directory, trace)?)
    }

    /// Makes the group on a server that runs.
    pub(super) fn of(server: Served) -> Result<Self> {
        let newcomers = server.group("bench")?;
        Ok(Self { server, newcomers })
    }

    /// Ends it, changes what it left, and starts it again on that.
    pub(super) fn again(self, change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        Ok(Self {
            server: self.server.again(change)?,
            newcomers: self.newcomers,
        })
    }
}

impl Candidate for This {
    fn address(&self) -> SocketAddr {
        self.server.address
    }

    fn pid(&self) -> u32 {
        self.server.pid()
    }

    fn newcomers(&mut self, count: usize) -> Result<Vec<Errand>> {
        let errand = |_| {
            let (key, request) = self.newcomers.keyed()?;
            Ok(Errand {
                request,
                tls: self.server.tls.clone(),
                key: Arc::new(key),
                renewals: 0,
            })
        };
        (0..count).map(errand).collect()
    }

    fn renewals(&mut self, certified: &[Certified]) -> Result<Vec<Errand>> {
        certified.iter().map(renewal).collect()
    }
}

/// The device's next certificate is over a new key, as the agent has it.
fn renewal(one: &Certified) -> Result<Errand> {
    let enrolled: Enrolled = serde_json::from_slice(&one.reply)?;
    let chain = [&*enrolled.certificate, &enrolled.issuing_ca];
    let identity = authority::identity(&chain, one.key.clone())?;
    let key = FileKey::generate(KeyKind::P256)?;
    let request = RenewRequest {
        device_id: enrolled.device_id,
        csr: Binary(csr::build(&key, &enrolled.name)?),
        counter: one.renewals + 1,
        request_id: Uuid::from_bytes(request_id()),
        certificate_ttl_h: None,
        proof: None,
    };
    let body = serde_json::to_vec(&request)?;
    Ok(Errand {
        request: http::post("/v1/device/renew", None, &body),
        tls: Arc::new(tls_as(&enrolled.root, Some(identity))?),
        key: Arc::new(key),
        renewals: one.renewals + 1,
    })
}

fn request_id() -> [u8; 16] {
    let mut bytes = [0; 16];
    enlist_core::Rng::fill(&enlist_core::SystemRng, &mut bytes);
    bytes
}
