//! One virtual device: the agent's own state machine over a disk in memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use enlist_agent::config::Configuration;
use enlist_agent::configuration::{Check, Checked};
use enlist_agent::disk::{Keys, Vault};
use enlist_agent::machine::{Failure, Identity, Note, Rest};
use enlist_agent::{Agent, Progress, World};
use enlist_core::{Name, SystemRng, explain};
use enlist_keys::{FileStore, WrappingKey};
use enlist_pki::KeyKind;
use secrecy::SecretString;

use super::clock::DeviceClock;
use super::disk::{Commons, SimDisk};
use super::net::{SimNet, Wire};

type SimAgent = Agent<SimDisk, SimNet>;

/// What all devices have in common.
pub struct Site {
    /// The network.
    pub wire: Arc<Wire>,
    /// The servers that the devices are spread over.
    pub servers: Vec<String>,
    /// What the devices were told, but for what is each one's own.
    pub configuration: Configuration,
    /// What keys are encrypted with on the devices' disks.
    pub wrapping: SecretString,
    /// What the disks hold alike.
    pub commons: Arc<Commons>,
    /// What the devices' names begin with.
    pub prefix: String,
}

/// A device.
pub struct Device {
    index: u32,
    body: Body,
    clock: Arc<DeviceClock>,
    /// What its clock is to be set to at its next turn.
    shift: Option<Shift>,
    goal: Goal,
    /// It has a new certificate since it was given its goal.
    renewed: bool,
    done: bool,
}

/// What is left of a device between two turns.
enum Body {
    /// Without power: what is on the disk.
    Off(SimDisk),
    /// It waits, and nothing is under way.
    Resting(SimDisk, Rest),
    /// It waits in the middle of something.
    Awake(Box<SimAgent>),
    /// It has wiped itself, or can't start.
    Gone,
}

/// A way to set the clock of a device.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// How much of the time until its certificate is to be renewed has gone by; 1 is all of it.
    pub share: f64,
    /// How many times as fast as the system's the clock runs.
    pub factor: u32,
}

/// What a device is to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A certificate in use, and an answer of the server's since the device has power.
    Settled,
    /// A new certificate besides.
    Renewed,
    /// It goes on for as long as it is let.
    Endless,
}

/// No agent takes so many steps before it waits, but for one that goes in circles.
const MOST_STEPS: u32 = 1000;
/// How long such a one is left alone.
const PAUSE: Duration = Duration::from_secs(1);

impl Site {
    /// The name of the device of this number.
    pub fn name(&self, index: u32) -> String {
        format!("{}{index}", self.prefix)
    }

    fn agent(
        &self,
        index: u32,
        clock: &Arc<DeviceClock>,
        disk: SimDisk,
    ) -> Result<SimAgent, String> {
        let name = self.name(index);
        let mut configuration = self.configuration.clone();
        configuration.name = Some(name.parse::<Name>().map_err(|why| explain(&why))?);
        configuration.hardware = Some(enlist_agent::config::HardwareSource::Value(name));
        let wrapping = WrappingKey::from_text(&self.wrapping).map_err(|why| explain(&why))?;
        let rng = Arc::new(SystemRng);
        let store = FileStore::in_memory(wrapping, rng.clone());
        let server = &self.servers[index as usize % self.servers.len()];
        let trust = configuration.trust.clone();
        let world = World {
            clock: clock.clone(),
            device_clock: None,
            rng,
            export: None,
            check: Box::new(|_: &Check<'_>| Checked::Good),
            hooks: Box::new(|_| {}),
        };
        Agent::open(
            &configuration,
            disk,
            Keys::new(Box::new(store), KeyKind::P256),
            SimNet::new(self.wire.clone(), server.clone(), index, trust),
            world,
            Path::new(NO_HARDWARE),
        )
        .map_err(|why| explain(&why))
    }
}

/// Where there is nothing to be found that a device could take for its hardware.
const NO_HARDWARE: &str = "/nonexistent";

impl Device {
    /// A device that has never been on.
    pub fn new(index: u32, commons: &Arc<Commons>) -> Self {
        Self {
            index,
            body: Body::Off(SimDisk::new(commons.clone())),
            clock: Arc::new(DeviceClock::new()),
            shift: None,
            goal: Goal::Settled,
            renewed: false,
            done: false,
        }
    }

    /// Its number.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Gives it something to come to.
    pub fn aim(&mut self, goal: Goal, shift: Option<Shift>) {
        (self.goal, self.shift) = (goal, shift);
        (self.renewed, self.done) = (false, false);
    }

    /// Takes its power away: what it has in memory is gone.
    pub fn cut_power(&mut self) {
        self.body = match std::mem::replace(&mut self.body, Body::Gone) {
            Body::Resting(disk, _) => Body::Off(disk),
            Body::Awake(agent) => Body::Off(agent.into_disk()),
            other => other,
        };
    }

    /// Whether it has come to what it was to.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Who it is, by what is on its disk; `None` where it is not enrolled. And whether it is in the middle
    /// of something.
    pub fn identity(&self) -> (Option<Identity>, bool) {
        let kept = |disk: &SimDisk| {
            let state = Vault::new(disk.clone()).state().ok().flatten();
            state.and_then(|state| state.identity().cloned())
        };
        match &self.body {
            // One that has nothing has not begun.
            Body::Off(disk) => {
                let identity = kept(disk);
                let has_begun = identity.is_some();
                (identity, has_begun)
            }
            Body::Resting(disk, _) => (kept(disk), false),
            Body::Awake(agent) => (agent.machine().identity().cloned(), true),
            Body::Gone => (None, true),
        }
    }

    /// Lets it do whatever is to be done now, and says for how long it wants to be left alone then.
    pub fn turn(&mut self, site: &Site, stop: &AtomicBool) -> Duration {
        let Some(mut agent) = self.wake(site) else {
            return FOREVER;
        };
        self.set_clock(&agent);
        let mut until = None;
        for _ in 0..MOST_STEPS {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            match agent.step() {
                Progress::Went(note) => self.hear(note.as_deref()),
                Progress::Wait(time) => {
                    until = Some(time);
                    break;
                }
                Progress::Wiping => return FOREVER,
            }
        }
        let (now, machine) = (agent.now(), agent.machine());
        let is_well = machine.is_settled(now) && machine.has_checked_in();
        self.done |= match self.goal {
            Goal::Settled => is_well,
            Goal::Renewed => is_well && self.renewed,
            Goal::Endless => false,
        };
        let wait = match until {
            // What went wrong is tried again in the server's time: it is the server that is spared.
            Some(until) if machine.trouble().is_some() => until.since(now),
            Some(until) => self.clock.real(until.since(now)),
            None => PAUSE,
        };
        self.lay_down(agent);
        wait
    }

    fn wake(&mut self, site: &Site) -> Option<Box<SimAgent>> {
        let (disk, rest) = match std::mem::replace(&mut self.body, Body::Gone) {
            Body::Off(disk) => (disk, None),
            Body::Resting(disk, rest) => (disk, Some(rest)),
            Body::Awake(agent) => return Some(agent),
            Body::Gone => return None,
        };
        match site.agent(self.index, &self.clock, disk) {
            Ok(mut agent) => {
                if let Some(rest) = rest {
                    agent.take_up(rest);
                }
                Some(Box::new(agent))
            }
            Err(why) => {
                let failure = Failure {
                    slug: Some("agent-cannot-start".into()),
                    ..Failure::give_up(why)
                };
                let (part, none) = (self.index as usize, Duration::ZERO);
                let ledger = &site.wire.ledger;
                ledger.asked::<()>(part, super::ledger::Op::Other, none, &Err(failure));
                None
            }
        }
    }

    fn set_clock(&mut self, agent: &SimAgent) {
        let Some(shift) = self.shift.take() else {
            return;
        };
        let now = agent.now();
        let due = agent.machine().renewal_due(now).unwrap_or(now);
        self.clock
            .run(due.since(now).mul_f64(shift.share), shift.factor);
    }

    fn hear(&mut self, note: Option<&Note>) {
        if let Some(Note::Enrolled(_) | Note::Renewed(_)) = note {
            self.renewed |= matches!(note, Some(Note::Renewed(_)));
            self.clock.set_back();
        }
    }

    /// A device that waits has no connections, and as little in memory as can be.
    fn lay_down(&mut self, mut agent: Box<SimAgent>) {
        self.body = match agent.rest() {
            Some(rest) => Body::Resting(agent.into_disk(), rest),
            None => {
                agent.net_mut().hang_up();
                Body::Awake(agent)
            }
        };
    }
}

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);
