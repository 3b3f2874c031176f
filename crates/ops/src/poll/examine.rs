//! What a poll brings, and what there is to answer.

use enlist_core::{CommandRecord, DeviceReport, Outcome, StateKind, Timestamp};
use enlist_pki::Certificate;
use enlist_signed::Order;
use enlist_store::Tx;

use super::Said;
use crate::configuration::offer;
use crate::presented::{Errand, Presented, Refused, presented};
use crate::{ConfigurationOffer, Error, RootOffered, roots};

/// Orders that are handed out in one poll.
const MOST_COMMANDS: usize = 16;

/// What a poll comes to.
pub(super) struct Plan {
    pub(super) ground: Presented,
    /// What the device said last.
    pub(super) before: Option<DeviceReport>,
    /// What it says now.
    pub(super) report: DeviceReport,
    /// Orders that it says are done, or can't be.
    pub(super) closed: Vec<(CommandRecord, Outcome)>,
    /// Orders to hand out.
    pub(super) commands: Vec<CommandRecord>,
    /// Configuration that it does not hold yet.
    pub(super) configuration: ConfigurationOffer,
    /// Roots that it does not hold yet.
    pub(super) roots: Vec<RootOffered>,
}

impl Plan {
    /// Whether there is anything to write down.
    pub(super) fn is_news(&self) -> bool {
        self.ground.is_first_use()
            || !self.closed.is_empty()
            || self.commands.iter().any(|one| one.fetched_at.is_none())
            || self.is_report_news()
    }

    /// Whether the report says anything new.
    pub(super) fn is_report_news(&self) -> bool {
        self.before
            .as_ref()
            .is_none_or(|before| self.report.is_news_after(before))
    }
}

pub(super) fn examine(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    said: &Said,
    now: Timestamp,
) -> Result<Plan, Refused> {
    let errand = match said.changed_hardware {
        Some(_) => Errand::AskingOnOtherHardware,
        None => Errand::Asking,
    };
    let ground = presented(tx, certificate, errand, now)?;
    Ok(plan(tx, ground, said, now)?)
}

fn plan(tx: &mut Tx<'_>, ground: Presented, said: &Said, now: Timestamp) -> Result<Plan, Error> {
    let (tenant, device) = (ground.tenant.id, ground.device.id);
    let before = tx.device_report(tenant, device)?;
    let closed = closed(tx, &ground, said, now)?;
    let mut commands = tx.open_commands(tenant, device, said.last_command, MOST_COMMANDS)?;
    commands.retain(|one| closed.iter().all(|(closed, _)| closed.number != one.number));
    let mut configuration = ConfigurationOffer::default();
    let mut roots = Vec::new();
    if ground.device.state().kind() == StateKind::Decommissioning {
        commands.retain(|one| one.order == Order::Wipe.as_str());
    } else if !ground.is_expired(now) {
        configuration = offer(tx, tenant, ground.group.id, device, said.holds)?;
        roots = roots::offer(tx, &ground.group, &said.roots)?;
    }
    let report = DeviceReport {
        tenant,
        device,
        seen_at: now,
        agent: said.agent.clone(),
        roots: said.roots.clone(),
        holds: said.holds,
        offered: configuration.numbers,
        configuration: said.configuration.clone(),
        last_command: said.last_command,
        changed_hardware: said.changed_hardware.clone(),
    };
    Ok(Plan {
        ground,
        before,
        report,
        closed,
        commands,
        configuration,
        roots,
    })
}

/// The orders that the device was handed, that are open, and that it has done with.
fn closed(
    tx: &mut Tx<'_>,
    ground: &Presented,
    said: &Said,
    now: Timestamp,
) -> Result<Vec<(CommandRecord, Outcome)>, Error> {
    let mut closed: Vec<(CommandRecord, Outcome)> = Vec::new();
    for one in &said.acknowledged {
        let Some(command) = tx.command(ground.tenant.id, ground.device.id, one.number)? else {
            continue;
        };
        let twice = closed.iter().any(|(closed, _)| closed.number == one.number);
        // That it is wiped, a device says by its receipt alone.
        let by_receipt = one.done && command.order == Order::Wipe.as_str();
        if twice || by_receipt || command.outcome.is_some() || command.fetched_at.is_none() {
            continue;
        }
        let outcome = Outcome {
            at: now,
            done: one.done,
            detail: one.detail.clone(),
        };
        closed.push((command, outcome));
    }
    Ok(closed)
}
