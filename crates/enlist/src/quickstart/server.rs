//! The server, in this process.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use enlist_ops::Ops;
use enlist_server::{Layer, ServeError, Server};

use crate::context::{Settings, anchors, token};
use crate::say::say;
use crate::secret_file;
use crate::serve;

/// A server that listens.
pub struct RunningServer {
    server: Server,
    // The record is open, and its directory locked, as long as this lives.
    _ops: Ops,
}

impl RunningServer {
    /// Opens the record in `data`, making it where there is none, and starts to listen. Where nobody
    /// asked for a port and the usual one is taken, any other will do.
    pub async fn start(data: &Path, asked: Option<SocketAddr>) -> anyhow::Result<Self> {
        serve::make_data_directory(data)?;
        let settings = Layer {
            data: Some(data.to_owned()),
            listen: asked,
            ..Layer::default()
        }
        .decide()?;
        serve::to_file(&data.join("server.log"))?;
        let (ops, _) = serve::open(&settings, None).await?;
        let mut listen = settings.listen;
        let server = match Server::start(ops.clone(), listen.clone()).await {
            Err(ServeError::Listen { address, source })
                if asked.is_none() && source.kind() == ErrorKind::AddrInUse =>
            {
                listen.address.set_port(0);
                let server = Server::start(ops.clone(), listen).await?;
                say!(
                    "Port {} is in use, so the server listens on {} instead.",
                    address.port(),
                    server.address()
                );
                server
            }
            other => other?,
        };
        Ok(Self { server, _ops: ops })
    }

    /// How its administrator reaches it.
    pub fn settings(&self, data: &Path) -> anyhow::Result<Settings> {
        let path = data.join("admin.token");
        let text = secret_file::token(&path)?;
        Ok(Settings {
            server: serve::base_url(None, self.server.address()),
            ca_pem: anchors(&data.join("root.pem").to_string_lossy())?,
            service_ca_pem: None,
            token: Some(token(&text, &format!("`{}`", path.display()))?),
            tenant: "default".parse().context("the default tenant")?,
        })
    }

    /// Finishes what is under way, and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
