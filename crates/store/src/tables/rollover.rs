//! How far a fleet is with a new root.

use enlist_core::{DeviceId, Digest, GroupId, Name, TenantId, Timestamp};

use crate::column::Columns;
use crate::value::{number, values};
use crate::{StoreError, Tx};

/// How many active devices of a group hold a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The group.
    pub group: GroupId,
    /// Devices that are active.
    pub active: u64,
    /// Those of them that were seen lately.
    pub seen: u64,
    /// Those of the seen ones that say that they hold the root.
    pub ready: u64,
    /// Active devices that have never reported what they hold.
    pub silent: u64,
}

/// An active device, seen lately, that does not say that it holds a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// The device.
    pub device: DeviceId,
    /// Its group.
    pub group: GroupId,
    /// Its name.
    pub name: Name,
    /// When it last reported; `None` where it never has.
    pub seen_at: Option<Timestamp>,
}

/// Seen lately: it has reported, or its certificate was good, since then. A device that renews and does
/// not report is there, too.
macro_rules! seen {
    () => {
        "(r.seen_at >= $1 OR c.current_not_after >= $1)"
    };
}

/// Whether it says that it holds the root. `device_reports.roots` is one digest after the other; the
/// first sixteen are looked at.
macro_rules! holds {
    () => {
        "$2 IN (substr(r.roots, 1, 32), substr(r.roots, 33, 32), substr(r.roots, 65, 32),
             substr(r.roots, 97, 32), substr(r.roots, 129, 32), substr(r.roots, 161, 32),
             substr(r.roots, 193, 32), substr(r.roots, 225, 32), substr(r.roots, 257, 32),
             substr(r.roots, 289, 32), substr(r.roots, 321, 32), substr(r.roots, 353, 32),
             substr(r.roots, 385, 32), substr(r.roots, 417, 32), substr(r.roots, 449, 32),
             substr(r.roots, 481, 32))"
    };
}

macro_rules! from {
    () => {
        " FROM devices d
         LEFT JOIN device_reports r ON r.tenant_id = d.tenant_id AND r.device_id = d.device_id
         LEFT JOIN credentials c ON c.tenant_id = d.tenant_id AND c.device_id = d.device_id "
    };
}

macro_rules! unready {
    ($rest:literal) => {
        // What is unknown is not held: ELSE is for null, too.
        concat!(
            "SELECT d.device_id, d.group_id, d.name, r.seen_at",
            from!(),
            "WHERE ",
            seen!(),
            " AND CASE WHEN ",
            holds!(),
            " THEN 0 ELSE 1 END = 1 AND d.tenant_id = $3 AND d.state = 'active' ",
            $rest
        )
    };
}

impl Tx<'_> {
    /// How many devices of each group of a tenant hold `root`, of those seen after `since`.
    pub fn readiness(
        &mut self,
        tenant: TenantId,
        root: &Digest,
        since: Timestamp,
    ) -> Result<Vec<Readiness>, StoreError> {
        let sql = concat!(
            "SELECT d.group_id, count(*), count(CASE WHEN ",
            seen!(),
            " THEN 1 END), count(CASE WHEN ",
            seen!(),
            " AND ",
            holds!(),
            " THEN 1 END), count(CASE WHEN r.device_id IS NULL THEN 1 END)",
            from!(),
            "WHERE d.tenant_id = $3 AND d.state = 'active'
             GROUP BY d.group_id ORDER BY d.group_id"
        );
        self.query("devices", sql, values![since, root, &tenant], |columns| {
            Ok(Readiness {
                group: columns.next()?,
                active: columns.next()?,
                seen: columns.next()?,
                ready: columns.next()?,
                silent: columns.next()?,
            })
        })
    }

    /// The first `limit` devices of a tenant, or of one group, that were seen after `since` and do not
    /// say that they hold `root`.
    pub fn unready(
        &mut self,
        tenant: TenantId,
        group: Option<GroupId>,
        root: &Digest,
        (since, limit): (Timestamp, u64),
    ) -> Result<Vec<Unready>, StoreError> {
        match group {
            None => self.query(
                "devices",
                unready!("ORDER BY d.device_id LIMIT $4"),
                values![since, root, &tenant, number(limit)],
                unready,
            ),
            Some(group) => self.query(
                "devices",
                unready!("AND d.group_id = $4 ORDER BY d.device_id LIMIT $5"),
                values![since, root, &tenant, &group, number(limit)],
                unready,
            ),
        }
    }
}

fn unready(columns: &mut Columns<'_>) -> Result<Unready, StoreError> {
    Ok(Unready {
        device: columns.next()?,
        group: columns.next()?,
        name: columns.next()?,
        seen_at: columns.next()?,
    })
}
