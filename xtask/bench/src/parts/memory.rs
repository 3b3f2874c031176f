//! The server as its devices grow more.

use std::time::Duration;

use anyhow::Result;

use super::bulk::{create, thousands};
use super::{Scale, enroll, mebibytes};
use crate::served::Served;
use crate::table::{Aim, Table};

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    println!("memory and latency");
    let server = Served::enlist()?;
    let mut newcomers = server.group("memory")?;
    let mut there = 0;
    for devices in std::iter::once(0).chain(scale.devices) {
        if devices > there {
            create(&server, "memory", there + 1, devices - there)?;
            there = devices;
        }
        // The disk may still be at work on what was created.
        std::thread::sleep(Duration::from_secs(3));
        let at = format!("at {} devices", thousands(devices));
        let resident = server.resident()?.now;
        let (median, slow) = enroll::latency(&server, &mut newcomers)?;
        table.row(
            &format!("server memory {at}"),
            "MiB",
            mebibytes(resident),
            None,
            Aim::None,
        );
        table.row(
            &format!("enrollment {at}, median"),
            "ms",
            median,
            None,
            Aim::None,
        );
        table.row(
            &format!("enrollment {at}, 99th of 100"),
            "ms",
            slow,
            None,
            Aim::None,
        );
    }
    table.note("Latency: 500 newcomers one by one over one connection, each committed durably before it is answered.");
    Ok(())
}
