//! PKCS#11 modules: loaded and initialized once a process, and the sessions that are kept open.

use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use secrecy::SecretString;

use super::failure::words;
use super::held::Held;
use crate::store::{KeyStoreError, Pkcs11Spec};

/// Sessions that are open at one time. Small tokens have room for 16, and others use them too.
const MOST_SESSIONS: usize = 8;
/// How long somebody waits for a session that others have.
const PATIENCE: Duration = Duration::from_secs(10);

/// Modules are the process's.
static MODULES: Mutex<Vec<Arc<Module>>> = Mutex::new(Vec::new());

pub(super) struct Module {
    path: PathBuf,
    pub library: Pkcs11,
    /// What the tokens of this module did not take. Trying again would lock them. Locked while
    /// somebody logs in, so that a wrong PIN is tried once.
    pub refused: Mutex<Vec<SecretString>>,
    /// How often it was initialized. Whoever uses it has this locked for reading, and whoever
    /// initializes it anew, which is how a token that came back is found, for writing.
    era: RwLock<u64>,
    sessions: Mutex<Sessions>,
    freed: Condvar,
}

struct Sessions {
    idle: Vec<(Arc<Pkcs11Spec>, Held)>,
    /// Those that are idle and those that are lent.
    open: usize,
    most: usize,
}

/// A place for a session, with or without one in it. It is free again when this is dropped.
pub(super) struct Place<'a> {
    module: &'a Module,
    held: Option<Held>,
}

impl Module {
    /// The module at `path`, loaded once.
    pub fn loaded(path: &Path) -> Result<Arc<Self>, KeyStoreError> {
        let mut modules = locked(&MODULES);
        if let Some(module) = modules.iter().find(|module| module.path == path) {
            return Ok(module.clone());
        }
        let module = Arc::new(Self::load(path)?);
        modules.push(module.clone());
        Ok(module)
    }

    fn load(path: &Path) -> Result<Self, KeyStoreError> {
        let unusable = |error: Error| KeyStoreError::Unreachable {
            what: format!("the PKCS#11 module {}", path.display()),
            remedy: "install the token's module there, or name another with module-path".into(),
            source: words(&error).into(),
        };
        let module = Self {
            path: path.to_owned(),
            library: Pkcs11::new(path).map_err(unusable)?,
            refused: Mutex::default(),
            era: RwLock::default(),
            sessions: Mutex::new(Sessions {
                idle: Vec::new(),
                open: 0,
                most: MOST_SESSIONS,
            }),
            freed: Condvar::new(),
        };
        module.initialize().map_err(unusable)?;
        Ok(module)
    }

    /// To be held while it is used, beside others. Says since which initialization.
    pub fn turn(&self) -> RwLockReadGuard<'_, u64> {
        self.era.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it look for its tokens anew, unless somebody else has done so since `era`.
    pub fn renew(&self, era: u64) -> Result<(), Error> {
        let mut now: RwLockWriteGuard<'_, u64> =
            self.era.write().unwrap_or_else(PoisonError::into_inner);
        if *now != era {
            return Ok(());
        }
        // Closed before the numbers of their sessions are given to others. None is lent: whoever has
        // one has a turn.
        let mut sessions = locked(&self.sessions);
        sessions.open -= sessions.idle.len();
        sessions.idle.clear();
        drop(sessions);
        *now += 1;
        match self.library.clone().finalize() {
            Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.initialize()
    }

    fn initialize(&self) -> Result<(), Error> {
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match self.library.initialize(arguments) {
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
            other => other,
        }
    }

    /// A place for a session with the token of `spec`; `None` where none gets free.
    pub fn place(&self, spec: &Pkcs11Spec) -> Option<Place<'_>> {
        let mut sessions = locked(&self.sessions);
        loop {
            let fitting = sessions.idle.iter().rposition(|(of, _)| **of == *spec);
            if let Some(at) = fitting {
                let (_, held) = sessions.idle.swap_remove(at);
                return Some(Place {
                    module: self,
                    held: Some(held),
                });
            }
            if sessions.open >= sessions.most && sessions.idle.pop().is_some() {
                sessions.open -= 1;
            }
            if sessions.open < sessions.most {
                sessions.open += 1;
                return Some(Place {
                    module: self,
                    held: None,
                });
            }
            let (next, waited) = self
                .freed
                .wait_timeout(sessions, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return None;
            }
            sessions = next;
        }
    }

    /// Makes do with one place less, since the token takes no more sessions. False where that would
    /// leave none.
    pub fn make_do(&self) -> bool {
        let mut sessions = locked(&self.sessions);
        sessions.most = sessions.open.saturating_sub(1).max(1);
        sessions.open > 1
    }
}

impl Place<'_> {
    /// The session that was idle.
    pub fn take(&mut self) -> Option<Held> {
        self.held.take()
    }

    /// Keeps a session for the next one who needs it.
    pub fn keep(self, spec: &Arc<Pkcs11Spec>, held: Held) {
        let mut sessions = locked(&self.module.sessions);
        sessions.idle.push((spec.clone(), held));
        // Dropping the place gives it up; the session keeps it.
        sessions.open += 1;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.held = None;
        locked(&self.module.sessions).open -= 1;
        self.module.freed.notify_one();
    }
}

/// What a panic could leave behind is at worst a module to be initialized anew.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
