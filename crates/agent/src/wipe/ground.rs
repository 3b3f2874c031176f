use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enlist_keys::file::write_private;
use enlist_signed::Erasure;

use super::Journal;
use crate::config::{Configuration, HookCommand, forbidden};
use crate::disk::{erase, whereabouts};
use crate::{explain, hooks};

/// What lies outside of the agent's own directory.
pub trait Ground {
    /// Whether there is anything at `path`.
    fn is_there(&self, path: &Path) -> bool;

    /// Erases a file, or a directory with everything in it.
    fn erase(&mut self, path: &Path) -> Erasure;

    /// Runs a command of the operator's that erases something, within bounds.
    fn run(&mut self, hook: &HookCommand, journal: &Journal) -> Erasure;
}

/// The machine's file system.
///
/// It refuses what can only be a slip: directories of the system, the configuration file, the agent's
/// own directory, and whatever holds one of them, also by way of symbolic links. Of the identity file it
/// erases the content and leaves an empty one, which the agent needs to read its configuration.
#[derive(Clone, Debug)]
pub struct FileGround {
    own: PathBuf,
    kept: Vec<PathBuf>,
    emptied: Vec<PathBuf>,
    limit: Duration,
}

impl FileGround {
    /// The file system as `configuration` lets it be wiped.
    #[must_use]
    pub fn new(configuration: &Configuration) -> Self {
        let real = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut files = configuration.files.iter().map(real);
        let program = std::env::current_exe().ok();
        Self {
            own: real(&configuration.persistent_directory),
            kept: files.next().into_iter().chain(program).collect(),
            emptied: files.collect(),
            limit: configuration.before_wipe_limit,
        }
    }

    fn try_erase(&self, path: &Path) -> Result<bool, String> {
        let refused = |path| forbidden(path, &self.own, &self.kept);
        if let Some(why) = refused(path) {
            return Err(format!("not erased: {why}"));
        }
        let place = whereabouts(path).map_err(|why| why.to_string())?;
        let Some(place) = place else {
            return Ok(false);
        };
        if let Some(why) = refused(&place) {
            return Err(format!("not erased: {why}"));
        }
        if self
            .emptied
            .iter()
            .any(|file| file.starts_with(&place) && *file != place)
        {
            return Err("not erased: it holds the identity file".to_owned());
        }
        let real = fs::canonicalize(&place).unwrap_or_else(|_| place.clone());
        if self.emptied.contains(&real) {
            return empty(&real);
        }
        // Where a link that was listed leads is nothing that this list says; the link itself goes.
        let leads_on = fs::symlink_metadata(&place).is_ok_and(|it| it.is_symlink());
        let target = leads_on.then(|| fs::canonicalize(&place).ok()).flatten();
        let there = erase(&place).map_err(|why| why.to_string())?;
        match target {
            Some(target) => Err(format!(
                "it was a symbolic link and is removed; what it led to is not: {}",
                target.display()
            )),
            None => Ok(there),
        }
    }
}

/// Erases what a file holds and leaves an empty JSON object, so that at every instant there is one to read.
fn empty(file: &Path) -> Result<bool, String> {
    let words = |why: std::io::Error| why.to_string();
    let mut aside = file.as_os_str().to_owned();
    aside.push(".wipe");
    let aside = PathBuf::from(aside);
    // Under the second name the old content is still there to be overwritten, also after a power cut.
    match fs::hard_link(file, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.to_string()),
    }
    write_private(file, b"{}\n").map_err(words)?;
    erase(&aside).map_err(|why| why.to_string())
}

impl Ground for FileGround {
    fn is_there(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    fn erase(&mut self, path: &Path) -> Erasure {
        match self.try_erase(path) {
            Ok(true) => Erasure::Erased,
            Ok(false) => Erasure::Absent,
            Err(why) => Erasure::Failed(why),
        }
    }

    fn run(&mut self, hook: &HookCommand, journal: &Journal) -> Erasure {
        let mut environment = vec![("ENLIST_DIRECTORY", self.own.to_string_lossy().into_owned())];
        if let Some(who) = &journal.who {
            environment.extend([
                ("ENLIST_DEVICE_ID", who.device.to_string()),
                ("ENLIST_DEVICE_NAME", who.name.to_string()),
            ]);
        }
        match hooks::run_within(hook, &environment, self.limit) {
            Ok(()) => Erasure::Erased,
            Err(why) => Erasure::Failed(explain(&why)),
        }
    }
}
