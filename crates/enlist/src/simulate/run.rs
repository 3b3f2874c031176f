//! The course of a simulation: a server, a group, a fleet; what it is about; and the reckoning.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use enlist_agent::config::{Attestation, Configuration};
use enlist_core::{ProvisioningSecret, SigningMethod, SystemRng};
use enlist_keys::{StoreSpec, WrappingKey};
use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, KeyKind};
use enlist_wire::{ClientError, Meter, Reading};
use secrecy::ExposeSecret;

use super::Simulate;
use super::device::{Device, Site};
use super::gauge::{self, Usage};
use super::ledger::{Ledger, quantile_ms};
use super::net::Wire;
use super::phase::{Ended, Phase};
use super::plot;
use super::profile::{Plan, Profile};
use super::report::{Cost, Operation, Report, Traffic};
use super::server::Servers;
use super::stage::Stage;
use super::verify::Verdict;
use super::watch::Watch;
use crate::cli::Global;
use crate::failure::refused;
use crate::files::{self, Access, Draft};
use crate::interrupt::interrupted;
use crate::say::say;
use crate::text::word;

/// With fewer devices, what the program itself takes hides what they take.
const MANY: u32 = 5000;
/// How often a device polls, by its own clock: what the agent does unless it is told otherwise.
const POLLING: Duration = Duration::from_secs(3600);
/// How long one exchange may take: as the agent's.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a steady fleet goes on where nothing is said.
const STEADY_LIMIT: Duration = Duration::from_secs(60);
/// How long anything else lasts at most: what has an end of its own comes to it before.
const LIMIT: Duration = Duration::from_secs(86_400);

/// What was so before the part of the run that is measured.
struct Before {
    traffic: Reading,
    server: Option<Usage>,
    own: Usage,
}

/// Runs it.
pub fn run(asked: &Simulate, global: &Global) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the program can't start its threads")?;
    let stop = Arc::new(AtomicBool::new(false));
    runtime.spawn(listen(stop.clone()));
    // What can't be written in the end is better known before it begins.
    for path in [&asked.report, &asked.plot].into_iter().flatten() {
        drop(Draft::new(path, Access::Public)?);
    }
    refuse_unknown_process(asked.which.server_pid)?;
    let servers = Servers::find(&asked.which, global)?;
    let stage = Stage::make(&servers, asked.yes)?;
    say!("The devices go into group `{}`.", stage.group);
    let site = site(&servers, &stage, asked)?;
    let (report, not_compared) = play(asked, &servers, &stage, &site, &stop)?;
    report.print(global.output)?;
    if let Some(path) = &asked.report {
        let json = serde_json::to_vec_pretty(&report).context("the report")?;
        write(path, &json)?;
    }
    if let Some(path) = &asked.plot {
        let title = format!("{} of {} devices", word(&report.profile), report.devices);
        write(path, plot::plot(&title, &report.timeline)?.as_bytes())?;
    }
    if !servers.is_own() || asked.which.data.is_some() {
        say!("The devices stay on record, in group `{}`.", stage.group);
    }
    if let Some(error) = not_compared {
        return Err(anyhow::Error::new(error)
            .context("what the devices hold can't be compared with what is on record"));
    }
    if report.verdict.holds() {
        return Ok(());
    }
    if report.verdict.lacks_only_time() {
        return Err(refused(
            "invariants-broken",
            "not all devices came to a certificate before the run ended: give them more time (--duration), or see in the report what failed",
        ));
    }
    Err(refused(
        "invariants-broken",
        "what the devices hold is not what is on record: the report says where",
    ))
}

fn play(
    asked: &Simulate,
    servers: &Servers,
    stage: &Stage,
    site: &Site,
    stop: &AtomicBool,
) -> anyhow::Result<(Report, Option<ClientError>)> {
    let plan = Plan {
        rate: asked.rate.map(f64::from),
        window: Duration::from_secs(asked.window.0),
        factor: asked.time_factor,
        polling: POLLING,
    };
    let at_once = usize::from(asked.connections);
    let go = |profile: Profile, devices, what, limit| -> anyhow::Result<Ended> {
        let phase = Phase {
            site,
            at_once,
            limit,
            interrupted: stop,
        };
        let mut watch = Watch::new(u64::from(asked.devices), what, profile.is_endless());
        let due = profile.arrange(devices, &plan, &SystemRng);
        let ended = phase.run(due, |standing| watch.show(standing));
        watch.end();
        ended.context("the threads can't be started")
    };
    let empty = gauge::own();
    let new = |index| Device::new(index, &site.commons);
    let mut devices: Vec<_> = (0..asked.devices).map(new).collect();
    let mut enrolled_before = None;
    if asked.profile.needs_fleet() {
        let ended = go(Profile::LaunchDay, devices, "enrolled first", LIMIT)?;
        enrolled_before = Some(ended.lasted);
        devices = ended.devices;
    }
    let before = Before {
        traffic: site.wire.meter.reading(),
        server: servers.pid.and_then(gauge::usage),
        own: gauge::own(),
    };
    let limit = match (asked.duration, asked.profile) {
        (Some(span), _) => Duration::from_secs(span.0),
        (None, Profile::Steady) => STEADY_LIMIT,
        (None, _) => LIMIT,
    };
    let ended = go(asked.profile, devices, words(asked.profile), limit)?;
    let traffic = Traffic::between(before.traffic, site.wire.meter.reading());
    let (server, own) = (servers.pid.and_then(gauge::usage), gauge::own());
    let answers = ended.totals.count();
    let was_interrupted = stop.load(Ordering::Relaxed);
    say!("Comparing what the devices hold with what is on record.");
    let is_endless = asked.profile.is_endless();
    let (verdict, not_compared) =
        Verdict::reach(stage, site, &ended.devices, was_interrupted, stop);
    let done = ended.devices.iter().filter(|one| one.is_done()).count() as u64;
    let late = ended.totals.late.as_ref();
    let all_at_once = asked.profile == Profile::LaunchDay && asked.rate.is_none();
    let report = Report {
        profile: asked.profile,
        devices: asked.devices,
        done: if is_endless { verdict.enrolled } else { done },
        interrupted: was_interrupted,
        group: stage.group.to_string(),
        servers: servers.addresses.clone(),
        at_once,
        time_factor: if is_endless { asked.time_factor } else { 1 },
        enrolled_before_s: enrolled_before.map(|time| time.as_secs_f64()),
        lasted_s: ended.lasted.as_secs_f64(),
        operations: Operation::all(&ended.totals, ended.lasted),
        retries: ended.totals.retries,
        errors: ended.totals.slugs.clone(),
        late_p99_ms: late
            .filter(|_| !all_at_once)
            .map(|late| quantile_ms(late, 0.99)),
        traffic,
        server: before
            .server
            .zip(server)
            .map(|(before, after)| Cost::between(before, after, answers)),
        simulator: Cost::between(before.own, own, answers),
        memory_per_device: own
            .memory
            .checked_sub(empty.memory)
            .filter(|_| asked.devices >= MANY)
            .map(|all| all / u64::from(asked.devices)),
        verdict,
        timeline: ended.totals.timeline,
    };
    Ok((report, not_compared))
}

fn words(profile: Profile) -> &'static str {
    match profile {
        Profile::LaunchDay => "enrolled",
        Profile::Steady => "at work",
        Profile::RenewalStorm => "renewed",
        Profile::PowerCut => "back",
    }
}

/// What all devices have in common.
fn site(servers: &Servers, stage: &Stage, asked: &Simulate) -> anyhow::Result<Site> {
    let roots = enlist_pki::chain_from_pem(&servers.settings.ca_pem).context("the root")?;
    let service = servers.settings.service_ca_pem.as_deref();
    let trust = ServerTrust {
        anchors: Anchors::from_pem(&servers.settings.ca_pem).context("the root")?,
        service_anchors: service
            .map(Anchors::from_pem)
            .transpose()
            .context("the service CA's certificate")?
            .unwrap_or_default(),
    };
    let secret = ProvisioningSecret::parse(stage.secret.expose());
    let configuration = Configuration {
        server_url: servers.settings.server.clone(),
        trust,
        roots,
        tenant: stage.tenant.clone(),
        group: stage.group.clone(),
        name: None,
        name_prefix: None,
        hardware: None,
        persistent_directory: "/nonexistent".into(),
        public_keys: Vec::new(),
        signing_method: SigningMethod::Remote,
        command_keys: Vec::new(),
        enrollment_token: Some(secret.context("the group's secret")?),
        quadruple: None,
        certificate_ttl_h: None,
        cert_refresh_threshold: None,
        polling_interval: POLLING,
        network_timeout: TIMEOUT,
        hold_connection: false,
        single_check: false,
        key_store: StoreSpec::default(),
        attestation: Attestation::Nothing,
        key_kind: KeyKind::P256,
        export_directory: None,
        export_group: None,
        after_renew: Vec::new(),
        wipe_paths: Vec::new(),
        before_wipe: Vec::new(),
        before_wipe_limit: TIMEOUT,
        configuration_check: None,
        configuration_limit: TIMEOUT,
        button: None,
        files: Vec::new(),
    };
    let parts = usize::from(asked.connections);
    let wrapping = WrappingKey::generate(&SystemRng);
    Ok(Site {
        wire: Arc::new(Wire {
            timeout: TIMEOUT,
            meter: Arc::new(Meter::default()),
            ledger: Arc::new(Ledger::new(parts)),
        }),
        servers: servers.addresses.clone(),
        configuration,
        wrapping: wrapping.to_text().expose_secret().into(),
        commons: Arc::default(),
        prefix: format!("{}-", stage.group),
    })
}

/// Where there is no such process, nothing could be told of it.
fn refuse_unknown_process(pid: Option<u32>) -> anyhow::Result<()> {
    match pid {
        Some(pid) if cfg!(target_os = "linux") && gauge::usage(pid).is_none() => {
            anyhow::bail!("--server-pid: there is no process {pid}")
        }
        _ => Ok(()),
    }
}

/// Ends the run when it is interrupted; at once when that happens again.
async fn listen(stop: Arc<AtomicBool>) {
    interrupted().await;
    say!(
        "Ending: what is under way is finished, and the report follows. Ctrl-C again ends at once."
    );
    stop.store(true, Ordering::Relaxed);
    interrupted().await;
    std::process::exit(130);
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::replace(path, bytes, Access::Public)
}
