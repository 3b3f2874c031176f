//! The agent on a device, in both of its builds, beside a program that makes one HTTPS request.

mod device;

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Scale, mebibytes, median};
use crate::scratch;
use crate::served::Served;
use crate::table::{Aim, Table};
use device::{Device, request};

/// A build of the agent, and what it may take at most, in MiB.
struct Build {
    name: &'static str,
    group: &'static str,
    binary: PathBuf,
    size: Option<f64>,
    peak: Option<f64>,
    idle: Option<f64>,
}

/// The program that makes one request: what it takes, in MiB.
struct Floor {
    size: f64,
    peak: f64,
}

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    println!("the agent");
    let small = |name: &str| scratch::binary(&format!("../{ARCH}-unknown-linux-gnu/agent/{name}"));
    let mut builds = vec![
        // What cargo alone makes of it; the aims are those of `cargo xtask small`.
        Build {
            name: "small recipe, glibc",
            group: "agents-recipe",
            binary: small("enlist-agent")?,
            size: None,
            peak: None,
            idle: None,
        },
        Build {
            name: "full",
            group: "agents-full",
            binary: scratch::binary("../agent/enlist-agent")?,
            size: Some(8.0),
            peak: Some(12.0),
            idle: None,
        },
    ];
    match scratch::binary(&format!("../cross/build/{ARCH}-unknown-linux-musl/agent/enlist-agent")) {
        Ok(binary) => builds.push(Build {
            name: "small, static",
            group: "agents-small",
            binary,
            size: Some(3.0),
            peak: Some(4.0),
            idle: Some(3.0),
        }),
        Err(_) => table.note(
            "The small, static agent is not among these: `cargo xtask small` builds it, with its standard library, and then it is.",
        ),
    }
    let server = Served::enlist()?;
    let floor = floor(&small("enlist-bench-request")?, &server, scale)?;
    for build in &builds {
        one(build, &floor, &server, scale, table)?;
    }
    table.note(
        "The floor of the agent's size and memory: a static program that makes one HTTPS request with the same TLS library, built as the small agent is.",
    );
    Ok(())
}

fn floor(binary: &Path, server: &Served, scale: &Scale) -> Result<Floor> {
    let peaks: Result<Vec<f64>> = (0..scale.agents)
        .map(|_| request(binary, server).map(mebibytes))
        .collect();
    Ok(Floor {
        size: size(binary)?,
        peak: median(peaks?),
    })
}

fn one(
    build: &Build,
    floor: &Floor,
    server: &Served,
    scale: &Scale,
    table: &mut Table,
) -> Result<()> {
    let group = server.group(build.group)?;
    let (mut peaks, mut times) = (Vec::new(), Vec::new());
    let mut last = None;
    for round in 0..scale.agents {
        let device = Device::new(&build.binary, server, &group, round)?;
        let (took, peak) = device.provision()?;
        times.push(took.as_secs_f64() * 1e3);
        peaks.push(mebibytes(peak));
        last = Some(device);
    }
    let name = |what: &str| format!("agent ({}), {what}", build.name);
    let mut memory = |what: &str, figure, floor, most: Option<f64>| {
        let aim = most.map_or(Aim::None, Aim::Most);
        table.row(&name(what), "MiB", figure, Some(floor), aim);
    };
    let own = size(&build.binary)?;
    memory("the stripped binary", own, floor.size, build.size);
    let peak = median(peaks);
    memory("peak memory of `provision`", peak, floor.peak, build.peak);
    if let Some(device) = last {
        let idle = device.idle(scale.idle)?;
        memory(
            "idle memory of `run`",
            mebibytes(idle.resident),
            floor.peak,
            build.idle,
        );
        let seconds = scale.idle.as_secs();
        table.row(
            &name(&format!("wake-ups in {seconds} s of `run`")),
            "",
            idle.wakes as f64,
            None,
            Aim::Most(1.0),
        );
    }
    let took = median(times);
    table.row(&name("from start to enrolled"), "ms", took, None, Aim::None);
    Ok(())
}

fn size(binary: &Path) -> Result<f64> {
    Ok(mebibytes(std::fs::metadata(binary)?.len() / 1024))
}
