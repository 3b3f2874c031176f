use std::io;

use enlist_core::{Clock, Rng, Timestamp};
use enlist_signed::{Envelope, Erasure, OrderedBy};
use enlist_wire::{Farewell, ReceiptRequest};

use super::{
    Course, Delivery, Ground, JOURNAL, Journal, Note, Outcome, Own, Planned, RECEIPT, Step, Thing,
    Who, WipeError, WipeNet,
};
use crate::config::Configuration;
use crate::disk::{Disk, Vault, VaultError};
use crate::explain;
use crate::export::Export;
use crate::machine::Failure;

/// A wipe at work: a [`Course`] with what it takes to carry it out.
pub struct Wipe {
    course: Course,
    things: Vec<Thing>,
    ground: Box<dyn Ground>,
}

/// What a step works with.
struct At<'a, D> {
    vault: &'a mut Vault<D>,
    net: &'a mut dyn WipeNet,
}

/// What one step of a wipe came to.
#[derive(Debug)]
pub enum WipeProgress {
    /// It went on; there may be something to tell.
    Went(Option<Box<Note>>),
    /// There is nothing to do before this time.
    Wait(Timestamp),
    /// The device is clean.
    Clean,
}

/// What stays: the lock, which is being held, and the random hardware identity, which stands for
/// hardware that stays too. Without it the device would come back as another one.
const STAYS: [&str; 2] = ["lock", "hardware-id"];
/// What it takes to hand in the receipt: the roots that the device has come to believe, and the time
/// below which none is believed.
const FOR_DELIVERY: [&str; 2] = ["anchors.pem", "floor"];
const SLOTS: &str = "slots";

impl Wipe {
    /// Goes on with the wipe that is under way on `disk`; `None` where there is none.
    ///
    /// # Errors
    /// When its journal can't be read. Nothing else may be done then.
    pub fn open(
        configuration: &Configuration,
        disk: &impl Disk,
        ground: Box<dyn Ground>,
    ) -> Result<Option<Self>, WipeError> {
        let Some(journal) = Journal::read(disk)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            course: Course::new(journal, configuration.polling_interval),
            things: things(configuration),
            ground,
        }))
    }

    /// How far it has come.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.course.journal()
    }

    /// Takes one step: at most one exchange with the server, or one thing written or erased. Never
    /// sleeps.
    ///
    /// `vault` has to know its keys.
    pub fn step<D: Disk>(
        &mut self,
        vault: &mut Vault<D>,
        net: &mut dyn WipeNet,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> WipeProgress {
        let outcome = match self.course.next(clock.now()) {
            Step::Wait(until) => return WipeProgress::Wait(until),
            Step::Done => return WipeProgress::Clean,
            step => self.carry_out(step, &mut At { vault, net }),
        };
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let note = self.course.on(outcome, clock.now(), rng);
        WipeProgress::Went(note.map(Box::new))
    }

    fn carry_out<D: Disk>(&mut self, step: Step, at: &mut At<'_, D>) -> Result<Outcome, Failure> {
        Ok(match step {
            Step::Tell(who) => self.tell(&who, at)?,
            Step::Survey => Outcome::Surveyed(self.survey(at.vault.disk())?),
            Step::Erase(Thing::Hook(hook)) => {
                Outcome::Erased(self.ground.run(&hook, self.course.journal()))
            }
            Step::Erase(Thing::Path(path)) => Outcome::Erased(self.ground.erase(&path)),
            Step::Erase(Thing::Own(own)) => {
                Outcome::Erased(match self.erase_own(own, at.vault.disk_mut()) {
                    Ok(true) => Erasure::Erased,
                    Ok(false) => Erasure::Absent,
                    Err(failure) => Erasure::Failed(failure.message),
                })
            }
            Step::Sign(receipt, slot) => {
                let key = at.vault.key(slot).map_err(|error| match error {
                    // What is lost does not come back.
                    VaultError::KeyGone(_) | VaultError::NoReference(_) => {
                        Failure::give_up(explain(&error))
                    }
                    error => Failure::from(error),
                })?;
                let signed = Envelope::seal(&*receipt, &*key);
                let signed = signed.map_err(|why| Failure::retry(explain(&why)))?;
                Outcome::Signed(Box::new(signed))
            }
            Step::DestroyKeys => {
                destroy_keys(at.vault)?;
                let stays = [&STAYS[..], &FOR_DELIVERY, &[JOURNAL, RECEIPT]].concat();
                clear(at.vault.disk_mut(), &stays)?;
                Outcome::KeysGone
            }
            Step::HandIn(receipt) => self.hand_in(&receipt, at.net)?,
            Step::Copy(receipt) => {
                let written = at.vault.disk_mut().write(RECEIPT, &receipt.to_json());
                written.map_err(|why| cant(RECEIPT, &why))?;
                Outcome::Copied
            }
            Step::Close => {
                let copy = self.leaves_copy().then_some(RECEIPT);
                let mut stays = [&STAYS[..], &[JOURNAL]].concat();
                stays.extend(copy);
                let disk = at.vault.disk_mut();
                clear(disk, &stays)?;
                disk.erase(JOURNAL).map_err(|why| cant(JOURNAL, &why))?;
                Outcome::Closed
            }
            Step::Save(journal) => {
                let written = journal.write(at.vault.disk_mut());
                written.map_err(|why| Failure::retry(explain(&why)))?;
                Outcome::Saved
            }
            Step::Wait(_) | Step::Done => {
                return Err(Failure::retry("there is nothing to do in this step"));
            }
        })
    }

    fn tell<D: Disk>(&self, who: &Who, at: &mut At<'_, D>) -> Result<Outcome, Failure> {
        let credentials = at.vault.credentials(who.slot);
        // Whoever can't prove itself has nothing to wait for.
        let credentials = credentials.map_err(|why| Failure::give_up(explain(&why)))?;
        let journal = self.course.journal();
        let by = match journal.ordered_by {
            OrderedBy::Button => "by the device's button",
            OrderedBy::CommandLine => "by the device's command line",
            OrderedBy::Server => "by the server",
        };
        let reason = journal.reason.clone().unwrap_or_else(|| by.to_owned());
        let request = Farewell {
            reason: Some(reason),
        };
        at.net.farewell(&credentials, &request)?;
        Ok(Outcome::Told)
    }

    fn hand_in(&self, receipt: &Envelope, net: &mut dyn WipeNet) -> Result<Outcome, Failure> {
        let request = ReceiptRequest {
            receipt: enlist_wire::Envelope(receipt.to_value()),
        };
        let reply = net.receipt(&request)?;
        let own = self.course.journal().who.as_ref().map(|who| who.device);
        if own.map(|own| *own.as_bytes()) != Some(reply.device_id.into_bytes()) {
            let why = "the server takes the receipt for another device's";
            return Err(Failure::retry(why));
        }
        Ok(Outcome::Received)
    }

    fn survey(&self, disk: &impl Disk) -> Result<Vec<Planned>, Failure> {
        let planned = |thing: &Thing| {
            let there = match thing {
                Thing::Hook(_) => true,
                Thing::Path(path) => self.ground.is_there(path),
                Thing::Own(own) => self.is_there(*own, disk)?,
            };
            Ok(Planned {
                thing: thing.clone(),
                there,
                result: None,
            })
        };
        self.things.iter().map(planned).collect()
    }

    fn is_there(&self, own: Own, disk: &impl Disk) -> Result<bool, Failure> {
        let there = list(disk, "")?;
        let is_there = |name: &String| {
            let first = name.split('/').next();
            there.iter().any(|there| first == Some(there))
        };
        Ok(self.names(own, disk)?.iter().any(is_there))
    }

    fn erase_own(&self, own: Own, disk: &mut impl Disk) -> Result<bool, Failure> {
        let mut there = false;
        for name in self.names(own, disk)? {
            there |= disk.erase(&name).map_err(|why| cant(&name, &why))?;
        }
        Ok(there)
    }

    /// The files and directories that hold it.
    fn names(&self, own: Own, disk: &impl Disk) -> Result<Vec<String>, Failure> {
        let fixed: &[&str] = match own {
            Own::Configuration => &["configuration"],
            Own::Log => &["trouble.json", "log"],
            // What other programs read goes first.
            Own::Credential => &["current", "current.new", "state.json", "identity.json"],
        };
        let mut names: Vec<String> = fixed.iter().map(|&name| name.to_owned()).collect();
        if own == Own::Credential {
            let signing = self.course.journal().who.as_ref().map(|who| who.slot);
            let signing = signing.map(|slot| slot.to_string());
            let slots = list(disk, SLOTS)?.into_iter();
            let others = slots.filter(|slot| Some(slot) != signing.as_ref());
            names.extend(others.map(|slot| format!("{SLOTS}/{slot}")));
        }
        Ok(names)
    }

    fn leaves_copy(&self) -> bool {
        let journal = self.course.journal();
        let refused = matches!(journal.delivery, Some(Delivery::Refused(_)));
        journal.receipt.is_some() && (refused || journal.keep_copy)
    }
}

/// Destroys every key where it lives.
fn destroy_keys<D: Disk>(vault: &mut Vault<D>) -> Result<(), Failure> {
    let mut failed = None;
    for (what, result) in vault.destroy_keys() {
        if let Err(why) = result {
            failed.get_or_insert(format!("{what} is not destroyed: {}", explain(&why)));
        }
    }
    failed.map_or(Ok(()), |why| Err(Failure::retry(why)))
}

/// Erases everything in the agent's directory but this.
fn clear(disk: &mut impl Disk, stays: &[&str]) -> Result<(), Failure> {
    let names = list(disk, "")?;
    for name in names.iter().filter(|name| !stays.contains(&name.as_str())) {
        disk.erase(name).map_err(|why| cant(name, &why))?;
    }
    Ok(())
}

fn list(disk: &impl Disk, directory: &str) -> Result<Vec<String>, Failure> {
    disk.list(directory)
        .map_err(|why| cant("the agent's directory", &why))
}

/// User data first, in the operator's order; then what is the agent's own.
fn things(configuration: &Configuration) -> Vec<Thing> {
    let hooks = configuration.before_wipe.iter().cloned().map(Thing::Hook);
    // What was put there for other programs may hold the very key that is about to be destroyed.
    let exported = Export::of(configuration).map(|export| export.directory().to_owned());
    let paths = configuration.wipe_paths.iter().cloned().chain(exported);
    let paths = paths.map(Thing::Path);
    let own = [Own::Configuration, Own::Log, Own::Credential].map(Thing::Own);
    hooks.chain(paths).chain(own).collect()
}

fn cant(what: &str, why: &io::Error) -> Failure {
    Failure::retry(format!("{what} can't be read or written: {why}"))
}
