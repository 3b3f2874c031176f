//! What stands on record, as an operator would be told of it.

use enlist_core::{StateKind, Timestamp};
use enlist_ops::{Census, ENDS, TenantCensus};

use super::page::Page;

/// Tenants that are told of by name. Those made after them are told of together.
const MOST_TENANTS: usize = 100;
/// What they are called. No tenant has such a name.
const OTHERS: &str = "(others)";

pub(super) fn write(page: &mut Page, census: &Census, now: Timestamp) {
    let tenants = tenants(census);
    if let Some(counted_at) = census.counted_at {
        page.gauge(
            "enlist_record_age_seconds",
            "How long ago devices and secrets were counted; that is one count for all servers.",
            now.since(counted_at).as_secs_f64(),
        );
        devices(page, &tenants);
    }
    let mut each = |name, help, of| of_each(page, &tenants, name, help, of);
    each(
        "enlist_webhook_events_behind",
        "Events that webhooks have not been told yet.",
        |tenant| tenant.webhooks_behind,
    );
    each(
        "enlist_webhook_dead_letters",
        "Events that webhooks could not be told, and that were given up.",
        |tenant| tenant.dead_letters,
    );
    each(
        "enlist_webhooks_failing",
        "Webhooks to which nothing could be told the last time.",
        |tenant| tenant.webhooks_failing,
    );
    page.gauge(
        "enlist_sealing_lag_seconds",
        "How long the oldest event that has no place in its chain has waited for one.",
        census.sealing_lag.as_secs_f64(),
    );
    cas(page, census);
}

/// A number of each tenant's.
fn of_each(
    page: &mut Page,
    tenants: &[(String, TenantCensus)],
    name: &str,
    help: &str,
    of: fn(&TenantCensus) -> u64,
) {
    page.metric("gauge", name, help);
    for (label, tenant) in tenants {
        page.sample(name, &[("tenant", label.as_str())], of(tenant) as f64);
    }
}

fn devices(page: &mut Page, tenants: &[(String, TenantCensus)]) {
    let name = "enlist_devices";
    page.metric("gauge", name, "Devices by state.");
    for (label, tenant) in tenants {
        for (state, devices) in StateKind::ALL.into_iter().zip(tenant.devices) {
            let labels = [("tenant", label.as_str()), ("state", state.as_str())];
            page.sample(name, &labels, devices as f64);
        }
    }
    let name = "enlist_device_certificates";
    page.metric(
        "gauge",
        name,
        "Current certificates of active devices by the time until they end; each is counted once.",
    );
    for (label, tenant) in tenants {
        for (ends, certificates) in ENDS.into_iter().zip(tenant.certificates) {
            let labels = [("tenant", label.as_str()), ("ends", ends)];
            page.sample(name, &labels, certificates as f64);
        }
    }
    let mut each = |name, help, of| of_each(page, tenants, name, help, of);
    each(
        "enlist_device_certificates_late",
        "Current certificates of active devices with less than a sixth of their group's lifetime left: devices renew when a third is left.",
        |tenant| tenant.late,
    );
    each(
        "enlist_secrets_nearly_used_up",
        "Secrets that have let in at least nine tenths of the devices that they may.",
        |tenant| tenant.secrets.nearly_used_up,
    );
    each(
        "enlist_secrets_used_up",
        "Secrets that have let in as many devices as they may.",
        |tenant| tenant.secrets.used_up,
    );
    each(
        "enlist_secrets_ending",
        "Secrets that end within seven days.",
        |tenant| tenant.secrets.ending,
    );
}

fn cas(page: &mut Page, census: &Census) {
    let name = "enlist_ca_expiry_timestamp_seconds";
    page.metric("gauge", name, "When the certificate of a CA ends.");
    let named = |tenant: &enlist_core::Name| {
        let known = census.tenants.iter().take(MOST_TENANTS);
        known.map(|one| &one.tenant).any(|one| one == tenant)
    };
    for ca in &census.cas {
        let tenant = match &ca.tenant {
            Some(tenant) if !named(tenant) => continue,
            Some(tenant) => tenant.as_str(),
            None => "",
        };
        let id = ca.id.to_string();
        let labels = [("kind", ca.kind.as_str()), ("tenant", tenant), ("ca", &id)];
        page.sample(name, &labels, ca.not_after.as_secs() as f64);
    }
    let name = "enlist_ca_expiry_first_timestamp_seconds";
    page.metric(
        "gauge",
        name,
        "When the first certificate of a CA ends, of all tenants'.",
    );
    if let Some(first) = census.cas.iter().map(|ca| ca.not_after.as_secs()).min() {
        page.sample(name, &[], first as f64);
    }
}

/// The first tenants by name, and the others together.
fn tenants(census: &Census) -> Vec<(String, TenantCensus)> {
    let mut told = Vec::new();
    for tenant in &census.tenants {
        if told.len() < MOST_TENANTS {
            told.push((tenant.tenant.to_string(), tenant.clone()));
            continue;
        }
        match told.get_mut(MOST_TENANTS) {
            None => told.push((OTHERS.to_owned(), tenant.clone())),
            Some((_, others)) => add(others, tenant),
        }
    }
    told
}

fn add(to: &mut TenantCensus, more: &TenantCensus) {
    let devices = to.devices.iter_mut().zip(more.devices);
    devices.for_each(|(sum, more)| *sum += more);
    let certificates = to.certificates.iter_mut().zip(more.certificates);
    certificates.for_each(|(sum, more)| *sum += more);
    to.late += more.late;
    to.secrets.nearly_used_up += more.secrets.nearly_used_up;
    to.secrets.used_up += more.secrets.used_up;
    to.secrets.ending += more.secrets.ending;
    to.webhooks_behind += more.webhooks_behind;
    to.dead_letters += more.dead_letters;
    to.webhooks_failing += more.webhooks_failing;
}
