//! The agent on a device.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Scale, mebibytes, median};
use crate::newcomers::Newcomers;
use crate::served::Served;
use crate::table::{Aim, Table};
use crate::{process, scratch};

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    println!("the agent");
    let binary = scratch::binary("../agent/enlist-agent")?;
    let server = Served::enlist()?;
    let group = server.group("agents")?;
    let (mut peaks, mut times) = (Vec::new(), Vec::new());
    for round in 0..scale.agents {
        let directory = scratch::directory()?;
        let (took, peak) = provision(&binary, &server, &group, directory.path(), round)?;
        times.push(took.as_secs_f64() * 1e3);
        peaks.push(mebibytes(peak));
    }
    let size = mebibytes(std::fs::metadata(&binary)?.len() / 1024);
    table.row(
        "agent, the stripped binary",
        "MiB",
        size,
        None,
        Aim::Most(4.0),
    );
    table.row(
        "agent, peak memory of `provision`",
        "MiB",
        median(peaks),
        None,
        Aim::Most(10.0),
    );
    table.row(
        "agent, from start to enrolled",
        "ms",
        median(times),
        None,
        Aim::None,
    );
    Ok(())
}

/// Runs `enlist-agent provision` on a device that is new; says how long it took, and the most
/// memory it had.
fn provision(
    binary: &Path,
    server: &Served,
    group: &Newcomers,
    directory: &Path,
    round: usize,
) -> Result<(Duration, u64)> {
    let config = json!({
        "schema_version": 1,
        "server_url": format!("https://{}", server.address),
        "trust_anchors_pem": std::fs::read_to_string(server.data().join("root.pem"))?,
        "group": group.group,
        "device_enrollment_token": group.secret,
        "name": format!("agent-{round}"),
        "hardware_id": format!("bench-{round}"),
        "persistent_directory": directory.join("state"),
    });
    let path = directory.join("config.json");
    std::fs::write(&path, config.to_string())?;
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args(["provision", "-c"])
        .arg(&path)
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(directory.join("log"))?)
        .spawn()?;
    let mut peak = 0;
    // What the kernel would tell afterwards counts this process in, as it was before the exec.
    let status = loop {
        if let Some(memory) = process::resident(child.id()) {
            peak = peak.max(memory.peak);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_micros(300));
    };
    let took = start.elapsed();
    ensure!(
        status.success(),
        "the agent failed: {}",
        std::fs::read_to_string(directory.join("log"))?
    );
    Ok((took, peak))
}
