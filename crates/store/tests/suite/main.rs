//! One suite of stories, told on SQLite in memory, on SQLite in a file, and on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "tests")]

mod admission;
mod backups;
mod bulk;
mod cas;
mod census;
mod challenges;
mod configuration;
mod device_nouns;
mod durable;
mod event_seals;
mod filled;
mod group_commit;
mod hooks;
mod manufacturers;
mod moving;
mod nouns;
mod order_nouns;
mod pages;
#[path = "../../../testkit/src/postgres.rs"]
#[allow(
    dead_code,
    reason = "a part of the test kit, which depends on this crate"
)]
mod postgres;
mod put_off;
mod races;
mod reach;
mod reach_tls;
mod revocation;
mod rig;
mod roots;
mod secrets;
mod tenants;
mod webhook_backlog;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use rig::{Place, Rig};

/// Tells a story on an empty store.
fn tell(place: Place, story: impl AsyncFnOnce(&Rig)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(story(&Rig::new(place)));
}

/// A story with its name.
type Story = (&'static str, fn(Place));

/// Each story becomes a test on SQLite in memory and one in a file. On PostgreSQL all are one
/// test over one server, with a database for each.
macro_rules! stories {
    (anywhere: $($group:ident::$name:ident,)* ; that_reopen: $($late_group:ident::$late:ident,)*) => {
        mod memory {
            use super::*;
            $(#[test] fn $name() { tell(Place::Memory, $group::$name); })*
        }

        mod file {
            use super::*;
            $(#[test] fn $name() { tell(Place::new_directory(), $group::$name); })*
            $(#[test] fn $late() { tell(Place::new_directory(), $late_group::$late); })*
        }

        #[test]
        fn postgres_tells_the_same() {
            let stories: Vec<Story> = vec![
                $((stringify!($name), |place| tell(place, $group::$name)),)*
                $((stringify!($late), |place| tell(place, $late_group::$late)),)*
                ("a_broken_connection_is_replaced", |place| {
                    tell(place, durable::a_broken_connection_is_replaced);
                }),
                ("many_who_enter_together_cost_a_few_round_trips", |place| {
                    tell(place, put_off::many_who_enter_together_cost_a_few_round_trips);
                }),
                ("a_job_starts_at_once_where_a_writer_is_idle", |place| {
                    tell(place, put_off::a_job_starts_at_once_where_a_writer_is_idle);
                }),
                ("servers_that_start_together_migrate_once", |place| {
                    tell(place, durable::servers_that_start_together_migrate_once);
                }),
            ];
            tell_all_on_postgres(stories);
        }
    };
}

/// Tells the stories a few at a time.
fn tell_all_on_postgres(stories: Vec<Story>) {
    let Some(server) = postgres::Postgres::start() else {
        return;
    };
    let next = Mutex::new(stories.into_iter());
    let failed = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some((name, story)) = next.lock().unwrap().next() else {
                return;
            };
            // A database's name has 63 bytes at most.
            let place = Place::Postgres(server.database(&name[..name.len().min(60)]));
            if catch_unwind(AssertUnwindSafe(|| story(place))).is_err() {
                failed.lock().unwrap().push(name);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed on PostgreSQL: {failed:?}");
}

stories! {
    anywhere:
    group_commit::jobs_that_wait_are_committed_together,
    put_off::what_cannot_be_is_refused_and_spoils_no_other,
    put_off::of_many_who_claim_one_hardware_at_once_one_enters,
    put_off::what_was_put_off_is_seen_by_whoever_looks,
    put_off::a_refusal_that_hope_would_have_spared_is_not_given,
    hooks::a_hook_is_of_one_group_and_tells_since_when,
    hooks::where_a_device_came_from_is_found_by_how_it_asked,
    challenges::a_challenge_lets_somebody_in_once_and_is_forgotten_after_its_end,
    webhook_backlog::a_webhooks_backlog_is_bounded_and_moved_in_steps,
    webhook_backlog::what_a_wrong_clock_has_put_off_is_tried,
    challenges::forgetting_challenges_goes_on_where_it_stopped,
    manufacturers::a_manufacturer_is_replaced_and_deleted_in_its_own_tenant_alone,
    group_commit::a_refused_job_spoils_no_other,
    group_commit::what_one_has_changed_the_next_one_sees,
    group_commit::a_panicking_job_spoils_no_other,
    group_commit::a_failing_statement_spoils_no_other,
    group_commit::a_job_that_swallows_a_failure_is_refused,
    group_commit::a_full_queue_refuses_at_once,
    group_commit::a_job_whose_caller_has_gone_is_not_begun,
    group_commit::a_reading_job_cannot_write,
    group_commit::a_read_sees_what_was_answered_before,
    secrets::a_bounded_secret_admits_exactly_its_bound,
    secrets::an_unbounded_secret_is_checked_and_its_devices_are_counted,
    secrets::whoever_was_let_in_is_counted_once_and_for_all,
    census::slices_hold_every_device_once_whatever_their_size,
    census::secrets_to_look_after_are_counted_by_what_wears_them,
    census::the_first_event_without_a_place_is_found,
    races::of_many_devices_with_one_name_one_gets_in,
    races::of_many_devices_with_one_key_one_gets_in,
    races::of_many_who_seal_the_same_event_at_once_one_does,
    races::a_name_goes_to_one_of_many_devices_that_move,
    races::of_many_who_suspend_a_device_one_does,
    races::what_was_saved_meanwhile_is_not_saved_over,
    races::no_certificate_of_a_suspended_device_stays_good,
    races::a_tombstoned_key_does_not_slip_in,
    races::a_group_with_devices_is_never_deleted,
    races::two_secrets_wanted_crosswise_let_everybody_through,
    admission::all_bounds_of_a_secret_read_back_and_hold,
    admission::a_rate_admits_exactly_as_many_as_it_says,
    admission::a_rate_and_a_most_hold_together,
    admission::an_entry_of_a_manifest_admits_one_device,
    admission::entries_are_counted_once_and_come_in_pages,
    admission::a_deleted_manifest_lets_nobody_in_and_is_cleared_away,
    admission::manifests_do_not_cross_tenants,
    nouns::settings_are_kept_replaced_and_forgotten,
    nouns::a_tenant_reads_back,
    nouns::cas_read_back_newest_first,
    cas::the_next_ca_takes_over_once,
    cas::a_change_of_cas_that_came_too_late_changes_nothing,
    cas::a_certificate_is_recorded_under_a_ca_that_issues_and_no_other,
    cas::a_request_for_a_ca_is_answered_once,
    cas::the_key_of_the_current_root_is_forgotten_and_no_other,
    nouns::a_group_reads_back,
    nouns::a_secret_reads_back,
    device_nouns::devices_read_back_in_every_state,
    device_nouns::an_application_reads_back,
    device_nouns::a_credential_reads_back,
    device_nouns::certificates_read_back_in_every_standing,
    device_nouns::certificates_of_a_device_change_standing_together,
    device_nouns::tombstones_read_back,
    device_nouns::events_read_back_in_order,
    device_nouns::events_of_one_time_keep_the_order_of_their_making,
    event_seals::events_get_the_places_that_follow_each_other,
    event_seals::heads_are_kept_and_found,
    event_seals::a_sealed_event_is_read_word_for_word,
    nouns::api_tokens_read_back,
    configuration::statements_read_back_and_take_each_number_once,
    configuration::the_newest_of_a_schema_version_is_found,
    configuration::history_comes_in_pages_newest_first,
    configuration::configuration_goes_with_its_device_and_its_group,
    configuration::what_is_new_is_found_by_time,
    configuration::of_many_who_state_something_for_a_group_each_sees_the_others,
    order_nouns::commands_are_numbered_fetched_and_closed_once,
    order_nouns::a_report_takes_the_place_of_the_one_before,
    order_nouns::a_receipt_is_kept_once_a_key,
    order_nouns::a_token_is_replaced_and_the_one_before_retired,
    order_nouns::a_device_without_a_token_reads_back_and_may_take_one,
    roots::one_root_gives_way_to_one_other,
    roots::a_change_of_roots_that_came_too_late_changes_nothing,
    roots::approvals_are_a_groups_own_and_go_with_it,
    roots::who_holds_a_root_is_counted,
    pages::devices_come_in_pages,
    pages::certificates_come_in_pages,
    pages::events_come_in_pages,
    pages::lapsed_devices_are_found,
    bulk::bulk_says_of_each_row_whether_it_is_new,
    bulk::bulk_into_a_missing_group_adds_nothing,
    tenants::nothing_crosses_tenants,
    revocation::what_changed_its_standing_is_found_by_time,
    revocation::what_comes_off_hold_is_a_change_too,
    revocation::what_is_revoked_and_unexpired_comes_in_pages,
    revocation::what_was_issued_is_known_with_its_standing,
    revocation::credentials_are_counted_by_tenant,
    revocation::parts_of_lists_never_become_fewer,
    ;
    that_reopen:
    durable::a_reopened_store_has_everything,
    durable::what_waits_at_the_end_is_done,
    durable::a_newer_schema_is_refused,
}
