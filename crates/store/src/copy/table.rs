//! Which tables a record consists of, and which of their columns order their rows.

use serde::{Deserialize, Serialize};

/// Each table: its name, the columns that no two of its rows have in common, and all its columns. A table
/// comes after those that its rows refer to. `hardware_claims` has no rows that last. Certificates go by device, so that rows that were made
/// together stay together.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "tenants",
        "tenant_id",
        "tenant_id name state created_at crl_parts",
    ),
    (
        "cas",
        "ca_id",
        "ca_id tenant_id kind certificate wrapped_key created_at standing cross_certificate \
         retired_at key_reference chain",
    ),
    (
        "ca_requests",
        "tenant_id ca_id",
        "tenant_id ca_id csr wrapped_key key_reference created_at",
    ),
    (
        "signing_keys",
        "tenant_id purpose",
        "tenant_id purpose key_digest spki wrapped_key created_at",
    ),
    (
        "api_tokens",
        "token_id",
        "token_id tenant_id short_id digest label role expires_at created_at withdrawn group_id",
    ),
    (
        "device_groups",
        "tenant_id group_id",
        "tenant_id group_id name enrollment hardware_is_identity on_clone approval_timeout_ms \
         recovery_window_ms storage_time_ms lifetime_ms max_lifetime_ms server_auth dns_suffix \
         csr_extras created_at key_rotation on_hardware_change signing_method signing_keys \
         zero_touch allocation",
    ),
    (
        "root_approvals",
        "tenant_id group_id ca_id",
        "tenant_id group_id ca_id envelope approved_at",
    ),
    (
        "provisioning_secrets",
        "tenant_id secret_id",
        "tenant_id secret_id group_id short_id digest label expires_at max_devices used withdrawn \
         created_at rate_devices rate_per_ms rate_until networks manifest_id",
    ),
    (
        "manifests",
        "tenant_id manifest_id",
        "tenant_id manifest_id name created_at entries deleted_at",
    ),
    (
        "manifest_entries",
        "tenant_id manifest_id identity",
        "tenant_id manifest_id identity",
    ),
    (
        "manifest_uses",
        "tenant_id manifest_id identity",
        "tenant_id manifest_id identity device_id",
    ),
    (
        "manufacturers",
        "tenant_id name",
        "tenant_id name certificates digest created_at",
    ),
    (
        "hooks",
        "tenant_id group_id",
        "tenant_id group_id url anchors sealed_secret old_secret old_until timeout_ms created_at",
    ),
    (
        "webhooks",
        "tenant_id webhook_id",
        "tenant_id webhook_id name url anchors sealed_secret kinds group_id told created_at \
         old_secret old_until failures failing_since error next_at lease_holder lease_until",
    ),
    (
        "webhook_backlog",
        "tenant_id webhook_id seq",
        "tenant_id webhook_id seq device_id attempts since next_at error given_up_at",
    ),
    (
        "configuration_statements",
        "tenant_id group_id kind device_id version",
        "tenant_id group_id kind device_id version schema_version envelope body changes actor \
         stated_at",
    ),
    (
        "devices",
        "device_id tenant_id",
        "tenant_id device_id group_id name labels hardware state pending_code pending_until \
         enrolled created_at changed_at attested",
    ),
    (
        "applications",
        "tenant_id device_id",
        "tenant_id device_id enrolling_key token csr secret_id ttl_h server_key source \
         unproven_group",
    ),
    (
        "landings",
        "tenant_id device_id",
        "tenant_id device_id entry_id name hardware",
    ),
    (
        "credentials",
        "tenant_id device_id",
        "tenant_id device_id enrolled_key token current_serial current_key current_not_after \
         previous_serial previous_key previous_not_after renewal_counter request_id request_key \
         pre_enrolled secret_id previous_token",
    ),
    (
        "certificates",
        "tenant_id device_id serial",
        "serial tenant_id device_id issuer_id fingerprint not_before not_after standing \
         standing_since revocation_reason der",
    ),
    (
        "tombstones",
        "tenant_id digest device_id",
        "tenant_id digest device_id kind group_id value laid_at",
    ),
    (
        "commands",
        "tenant_id device_id number",
        "tenant_id device_id number order_kind envelope given_by given_at fetched_at closed_at \
         done detail",
    ),
    (
        "device_reports",
        "tenant_id device_id",
        "tenant_id device_id seen_at agent roots holds_schema holds_group holds_device \
         offered_schema offered_group offered_device configuration last_command changed_hardware",
    ),
    (
        "receipts",
        "tenant_id device_id serial",
        "tenant_id device_id serial envelope received_at late",
    ),
    ("used_challenges", "digest", "digest expires_at"),
    (
        "events",
        "tenant_id event_id",
        "tenant_id event_id happened_at actor kind group_id device_id name detail",
    ),
    (
        "event_seals",
        "tenant_id seq",
        "tenant_id seq event_id hash",
    ),
    (
        "event_heads",
        "tenant_id seq",
        "tenant_id seq envelope signed_at",
    ),
    // The last: without it, nobody takes the rest for an installation.
    ("settings", "name", "name value"),
];

/// Columns of keys that are text. PostgreSQL is told to compare them byte by byte, as SQLite does.
const TEXT_KEYS: &[&str] = &["name", "kind", "purpose", "identity"];

/// A table of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    /// By these its rows are ordered; no two of them are the same in all.
    pub(super) key: Vec<String>,
    pub(super) columns: Vec<String>,
}

/// All tables of a record of the schema that this program knows.
pub(super) fn tables() -> Vec<Table> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    TABLES
        .iter()
        .map(|(name, key, columns)| Table {
            name: (*name).to_owned(),
            key: words(key),
            columns: words(columns),
        })
        .collect()
}

impl Table {
    /// Whether all its names are plain words, which can stand in a statement.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |name: &String| {
            !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')
        };
        plain(&self.name)
            && !self.key.is_empty()
            && self.columns.iter().all(plain)
            && self.key.iter().all(|key| self.columns.contains(key))
    }

    /// Reads its rows in order; with `after`, those behind the key that is given as the values.
    pub(super) fn select(&self, after: bool, postgres: bool) -> String {
        let order: Vec<_> = self
            .key
            .iter()
            .map(|key| match postgres && TEXT_KEYS.contains(&key.as_str()) {
                true => format!("{key} COLLATE \"C\""),
                false => key.clone(),
            })
            .collect();
        let order = order.join(", ");
        let (columns, name) = (self.columns.join(", "), &self.name);
        let behind = match after {
            true => format!(" WHERE ({order}) > ({})", numbers(1, self.key.len())),
            false => String::new(),
        };
        format!("SELECT {columns} FROM {name}{behind} ORDER BY {order}")
    }

    /// Adds `rows` rows at once.
    pub(super) fn insert(&self, rows: usize) -> String {
        let (columns, name) = (self.columns.join(", "), &self.name);
        let each: Vec<_> = (0..rows)
            .map(|row| {
                let first = row * self.columns.len() + 1;
                format!("({})", numbers(first, self.columns.len()))
            })
            .collect();
        format!("INSERT INTO {name} ({columns}) VALUES {}", each.join(", "))
    }
}

fn numbers(first: usize, count: usize) -> String {
    let numbers: Vec<_> = (first..first + count).map(|at| format!("${at}")).collect();
    numbers.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::engine::Engine;
    use crate::migrate::migrate;
    use crate::sqlite::Sqlite;
    use crate::value::{Value, values};

    fn texts(engine: &mut dyn Engine, sql: &str, values: &[Value<'_>]) -> Vec<String> {
        let mut found = Vec::new();
        engine
            .query(sql, values, &mut |row| {
                if let Some(Value::Text(text)) = row.value(0) {
                    found.push(text.to_owned());
                }
                Ok(())
            })
            .unwrap();
        found
    }

    /// A new table, or a new column, that nobody lists here would be left behind by each move.
    #[test]
    fn the_list_is_what_the_migrations_make() {
        let mut engine = Sqlite::in_memory().unwrap();
        migrate(&mut engine).unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                   AND name NOT IN ('schema_version', 'hardware_claims')";
        let made: BTreeSet<_> = texts(&mut engine, sql, &[]).into_iter().collect();
        let listed: BTreeMap<_, _> = tables()
            .into_iter()
            .map(|table| (table.name.clone(), table))
            .collect();
        assert_eq!(made, listed.keys().cloned().collect());
        for (name, table) in listed {
            assert!(table.is_plain(), "{name}");
            let sql = "SELECT name FROM pragma_table_info($1) ORDER BY cid";
            assert_eq!(
                texts(&mut engine, sql, values![&name]),
                table.columns,
                "{name}"
            );
            let sql = "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk";
            let key = texts(&mut engine, sql, values![&name]);
            if name != "certificates" {
                assert_eq!(key, table.key, "{name}");
            }
            let sql = "SELECT name FROM pragma_table_info($1) WHERE type = 'TEXT'";
            let text = texts(&mut engine, sql, values![&name]);
            for key in &table.key {
                let is_text = TEXT_KEYS.contains(&key.as_str());
                assert_eq!(text.contains(key), is_text, "{name}.{key}");
            }
        }
    }

    #[test]
    fn what_a_table_refers_to_comes_before_it() {
        let mut engine = Sqlite::in_memory().unwrap();
        migrate(&mut engine).unwrap();
        let names: Vec<_> = tables().into_iter().map(|table| table.name).collect();
        for (at, name) in names.iter().enumerate() {
            let sql = "SELECT \"table\" FROM pragma_foreign_key_list($1)";
            for target in texts(&mut engine, sql, values![name]) {
                let there = names.iter().position(|name| *name == target);
                assert!(there.is_some_and(|there| there < at), "{name}: {target}");
            }
        }
    }

    #[test]
    fn a_name_that_is_none_is_not_let_into_a_statement() {
        let mut table = tables().swap_remove(0);
        assert!(table.is_plain());
        table.columns.push("x) --".to_owned());
        assert!(!table.is_plain());
    }
}
