//! How many enrollments share a commit: asked of the server's library in a process of its own,
//! since only the library tells.

use std::io::{Read as _, stdin};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use enlist_core::{SystemClock, SystemRng};
use enlist_ops::{Config, Location, StatusConfig, WrappingKeySource};
use enlist_server::{Layer, Server};

use super::{CONNECTIONS, Scale};
use crate::Role;
use crate::load::{Load, Over};
use crate::served::Served;

/// Sizes of batches that were seen.
#[derive(Debug)]
pub(crate) struct Batches {
    /// Enrollments a commit, on average.
    pub(crate) mean: f64,
    /// The sizes, in words.
    pub(crate) described: String,
}

/// Serves in the current directory until standard input ends, and then says how it committed.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut settings = Layer::default().decide()?;
    settings.listen.address = "127.0.0.1:0".parse()?;
    runtime.block_on(async {
        let config = Config {
            location: Location::File(".".into()),
            data_dir: Some(".".into()),
            wrapping: WrappingKeySource::DataDir,
            ca_key_store: None,
            status: StatusConfig::default(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            outbound: enlist_server::outbound(Arc::new(SystemClock)),
        };
        let (ops, _) = enlist_ops::open(config).await?;
        let server = Server::start(ops.clone(), settings.listen).await?;
        println!("https://{}", server.address());
        tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new())).await??;
        let stats = ops.store_stats();
        let sizes: Vec<_> = stats
            .sizes
            .iter()
            .filter(|(_, batches)| *batches > 0)
            .map(|(most, batches)| format!("{batches} of up to {most}"))
            .collect();
        println!("{} {}", stats.jobs, stats.batches);
        println!("largest {}; {}", stats.largest, sizes.join(", "));
        server.stop().await;
        Ok(())
    })
}

/// Enrolls over many connections at once.
pub(crate) fn measure(scale: &Scale, over: Over) -> Result<Batches> {
    let server = Served::role(Role::Batches)?;
    let mut newcomers = server.group("batches")?;
    let load = Load {
        address: server.address,
        tls: Some(server.tls.clone()),
        connections: CONNECTIONS,
        over,
    };
    load.run(&newcomers.requests(scale.enrollments)?)?;
    let words = server.last_words()?;
    let (counts, described) = words.trim().split_once('\n').context("no last words")?;
    let (jobs, batches) = counts.split_once(' ').context("no counts")?;
    Ok(Batches {
        mean: jobs.parse::<f64>()? / batches.parse::<f64>()?,
        described: described.to_owned(),
    })
}
