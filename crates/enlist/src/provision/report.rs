//! What `provision` says of a device.

use std::path::Path;

use enlist_wire::{DeviceSelf, Enrolled, Time, Uuid};
use serde::Serialize;

use crate::credentials::{self, Paths};
use crate::output::{self, Format, Row};
use crate::say::say;

#[derive(Serialize)]
struct Provisioned<'a> {
    device_id: Uuid,
    tenant: &'a str,
    group: &'a str,
    name: &'a str,
    serial: &'a str,
    not_before: Time,
    not_after: Time,
    key: &'a Path,
    token: &'a Path,
    certificate: &'a Path,
    ca: &'a Path,
}

/// Tells of a device that has its certificate now.
pub fn enrolled(format: Option<Format>, paths: &Paths, reply: &Enrolled) -> anyhow::Result<()> {
    say!(
        "Device `{}` is provisioned: `{}` is valid until {}.",
        reply.name,
        paths.certificate.display(),
        reply.not_after
    );
    print(
        format,
        &Provisioned {
            device_id: reply.device_id,
            tenant: &reply.tenant,
            group: &reply.group,
            name: &reply.name,
            serial: &reply.serial,
            not_before: reply.not_before,
            not_after: reply.not_after,
            key: &paths.key,
            token: &paths.token,
            certificate: &paths.certificate,
            ca: &paths.ca,
        },
    )
}

/// Tells of a device that had its certificate before.
pub fn already(
    format: Option<Format>,
    paths: &Paths,
    held: &credentials::Enrolled,
    device: &DeviceSelf,
) -> anyhow::Result<()> {
    say!(
        "Device `{}` is provisioned already: `{}` is valid until {}.",
        device.name,
        paths.certificate.display(),
        device.not_after
    );
    print(
        format,
        &Provisioned {
            device_id: device.device_id,
            tenant: &device.tenant,
            group: &device.group,
            name: &device.name,
            serial: &device.serial,
            not_before: Time::from_secs(held.leaf().not_before()),
            not_after: device.not_after,
            key: &paths.key,
            token: &paths.token,
            certificate: &paths.certificate,
            ca: &paths.ca,
        },
    )
}

fn print(format: Option<Format>, device: &Provisioned<'_>) -> anyhow::Result<()> {
    match format {
        Some(format) => output::one(format, device),
        None => Ok(()),
    }
}

impl Row for Provisioned<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "group",
        "serial",
        "not after",
        "certificate",
        "ca",
        "key",
        "token",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        vec![
            self.name.to_owned(),
            self.group.to_owned(),
            self.serial.to_owned(),
            self.not_after.to_string(),
            path(self.certificate),
            path(self.ca),
            path(self.key),
            path(self.token),
            self.device_id.to_string(),
        ]
    }
}
