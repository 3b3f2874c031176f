//! The store's transactions, by their names.

use enlist_ops::{JobStats, StoreStats};

use super::page::Page;

pub(super) fn write(page: &mut Page, stats: &StoreStats) {
    let by_name = &stats.by_name;
    page.metric(
        "counter",
        "enlist_transactions_total",
        "Transactions of the store by name: done, refused (decided against, nothing recorded) or failed.",
    );
    for job in by_name {
        for (outcome, count) in [
            ("done", job.done),
            ("refused", job.refused),
            ("failed", job.failed),
        ] {
            let labels = [("transaction", job.name), ("outcome", outcome)];
            page.sample("enlist_transactions_total", &labels, count as f64);
        }
    }
    durations(
        page,
        "enlist_transaction_wait_seconds",
        "How long transactions waited for a thread of the store.",
        by_name,
        |job| &job.waited,
    );
    durations(
        page,
        "enlist_transaction_run_seconds",
        "How long transactions ran, without the commit that they share.",
        by_name,
        |job| &job.ran,
    );
    let commit = "enlist_store_commit_seconds";
    page.metric(
        "histogram",
        commit,
        "How long commits took, each of a batch of transactions.",
    );
    page.durations(commit, &[], &stats.commits);
    batches(page, stats);
    page.counter(
        "enlist_store_reruns_total",
        "Batches that were run again after a lost race or a broken connection.",
        stats.reruns,
    );
    let queue = "enlist_store_queue_length";
    page.metric("gauge", queue, "Transactions that wait now.");
    page.sample(queue, &[("of", "writes")], stats.waiting as f64);
    page.sample(queue, &[("of", "reads")], stats.reads_waiting as f64);
    page.gauge(
        "enlist_store_queue_capacity",
        "Transactions that may wait; more are refused as busy.",
        stats.capacity as f64,
    );
}

fn durations<'a>(
    page: &mut Page,
    name: &str,
    help: &str,
    by_name: &'a [JobStats],
    of: impl Fn(&'a JobStats) -> &'a enlist_core::DurationsCounted,
) {
    page.metric("histogram", name, help);
    for job in by_name {
        page.durations(name, &[("transaction", job.name)], of(job));
    }
}

fn batches(page: &mut Page, stats: &StoreStats) {
    let name = "enlist_store_batch_size";
    page.metric(
        "histogram",
        name,
        "How many transactions were committed together.",
    );
    let mut up_to = 0;
    // The last class has no bound.
    for (bound, count) in stats.sizes.iter().rev().skip(1).rev() {
        up_to += count;
        page.bucket(name, &[], &bound.to_string(), up_to);
    }
    page.histogram_end(name, &[], stats.batches, stats.jobs as f64);
}
