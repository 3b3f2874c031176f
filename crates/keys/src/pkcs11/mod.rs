//! A PKCS#11 token: one session an operation, logged in and out again.

mod object;
mod pin;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use object::KeyId;

use crate::store::{KeyStoreError, Pkcs11Spec};

/// A token, whether it is there or not.
#[derive(Clone)]
pub(crate) struct Token {
    spec: Pkcs11Spec,
}

/// Modules are the process's: loaded and initialized once, and never used by two at a time,
/// since a token that came back is found by initializing anew.
static MODULES: Mutex<Vec<Module>> = Mutex::new(Vec::new());

struct Module {
    path: PathBuf,
    library: Pkcs11,
    /// What the tokens of this module did not take. Trying again would lock them.
    refused: Vec<SecretString>,
}

impl Token {
    pub fn new(spec: Pkcs11Spec) -> Self {
        Self { spec }
    }

    /// Lets `work` use a session; once more with a new one if the token was lost.
    fn session<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&Session) -> Result<T, Error>,
    ) -> Result<T, KeyStoreError> {
        let mut modules = modules();
        let module = self.module(&mut modules)?;
        match self.attempt(module, doing, &work) {
            Err(Lost(_)) => {
                module.renew().map_err(|error| self.unreachable(&error))?;
                self.attempt(module, doing, &work)
                    .map_err(|Lost(error)| error)?
            }
            Ok(done) => done,
        }
    }

    fn attempt<T>(
        &self,
        module: &mut Module,
        doing: &'static str,
        work: impl Fn(&Session) -> Result<T, Error>,
    ) -> Result<Result<T, KeyStoreError>, Lost> {
        let slot = match self.slot(&module.library) {
            Ok(Some(slot)) => slot,
            Ok(None) => return Err(Lost(self.missing(&module.library))),
            Err(error) => return Err(Lost(self.unreachable(&error))),
        };
        let session = match self.log_in(module, slot) {
            Ok(session) => session,
            Err(LogIn::Failed(error)) => return self.failed("log in", &error),
            Err(LogIn::Pin(error)) => return Ok(Err(error)),
        };
        match work(&session) {
            Ok(done) => Ok(Ok(done)),
            Err(error) => self.failed(doing, &error),
        }
    }

    fn failed<T>(
        &self,
        doing: &'static str,
        error: &Error,
    ) -> Result<Result<T, KeyStoreError>, Lost> {
        if is_lost(error) {
            return Err(Lost(self.unreachable(error)));
        }
        Ok(Err(KeyStoreError::Refused {
            what: self.name(),
            doing,
            source: words(error).into(),
        }))
    }

    fn log_in(&self, module: &mut Module, slot: Slot) -> Result<Session, LogIn> {
        let info = module.library.get_token_info(slot).map_err(LogIn::Failed)?;
        let session = module
            .library
            .open_rw_session(slot)
            .map_err(LogIn::Failed)?;
        if !info.login_required() {
            return Ok(session);
        }
        let pin = pin::read(&self.spec.pin).map_err(LogIn::Pin)?;
        let source = pin::name(&self.spec.pin);
        let wrong = |problem: &str, remedy: String| {
            LogIn::Pin(KeyStoreError::Pin {
                problem: format!("{} {problem}", self.name()),
                remedy,
            })
        };
        let same = |refused: &SecretString| refused.expose_secret() == pin.expose_secret();
        if module.refused.iter().any(same) {
            return Err(wrong(
                "did not take the PIN, and is not asked again",
                format!("put the right one into {source}"),
            ));
        }
        if info.user_pin_final_try() && !info.user_pin_locked() {
            return Err(wrong(
                "would be locked by one more wrong PIN, so it is not asked",
                "log in once by hand, with `pkcs11-tool --login --test` for instance".into(),
            ));
        }
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => {
                module.refused.push(pin);
                Err(wrong(
                    "does not take the PIN",
                    format!("put the right one into {source}"),
                ))
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(wrong(
                "is locked after too many wrong PINs",
                "unlock it with the security officer's PIN".into(),
            )),
            Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) => Err(wrong(
                "has no user PIN yet",
                "set one, with `pkcs11-tool --init-pin` for instance".into(),
            )),
            Err(error) => Err(LogIn::Failed(error)),
        }
    }

    fn module<'a>(
        &self,
        modules: &'a mut MutexGuard<'_, Vec<Module>>,
    ) -> Result<&'a mut Module, KeyStoreError> {
        let path = &self.spec.module;
        let at = match modules.iter().position(|module| module.path == *path) {
            Some(at) => at,
            None => {
                modules.push(Module::load(path)?);
                modules.len() - 1
            }
        };
        Ok(&mut modules[at])
    }

    fn slot(&self, library: &Pkcs11) -> Result<Option<Slot>, Error> {
        for slot in library.get_slots_with_token()? {
            let Ok(info) = library.get_token_info(slot) else {
                continue;
            };
            let fits = |wanted: &Option<String>, is: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == is.trim_end())
            };
            if info.token_initialized()
                && fits(&self.spec.token, info.label())
                && fits(&self.spec.serial, info.serial_number())
            {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    fn name(&self) -> String {
        let wanted = self.spec.token.as_ref().or(self.spec.serial.as_ref());
        format!("the token `{}`", wanted.map_or("", String::as_str))
    }

    fn missing(&self, library: &Pkcs11) -> KeyStoreError {
        let slots = library.get_slots_with_token().unwrap_or_default();
        let labels: Vec<String> = slots
            .into_iter()
            .filter_map(|slot| library.get_token_info(slot).ok())
            .filter(TokenInfo::token_initialized)
            .map(|info| format!("`{}`", info.label().trim_end()))
            .collect();
        let others = match labels.as_slice() {
            [] => "there is no other".to_owned(),
            labels => format!("there are {}", labels.join(", ")),
        };
        KeyStoreError::Unreachable {
            what: self.name(),
            remedy: "plug it in, or set it up".into(),
            source: format!("the module shows no such token; {others}").into(),
        }
    }

    fn unreachable(&self, error: &Error) -> KeyStoreError {
        KeyStoreError::Unreachable {
            what: self.name(),
            remedy: "see that it is plugged in, and that its service runs".into(),
            source: words(error).into(),
        }
    }
}

/// The token was there and is not any more, or was not there: worth one new beginning.
struct Lost(KeyStoreError);

enum LogIn {
    Pin(KeyStoreError),
    Failed(Error),
}

impl Module {
    fn load(path: &Path) -> Result<Self, KeyStoreError> {
        let unusable = |error: Error| KeyStoreError::Unreachable {
            what: format!("the PKCS#11 module {}", path.display()),
            remedy: "install the token's module there, or name another with module-path".into(),
            source: words(&error).into(),
        };
        let module = Self {
            path: path.to_owned(),
            library: Pkcs11::new(path).map_err(unusable)?,
            refused: Vec::new(),
        };
        module.initialize().map_err(unusable)?;
        Ok(module)
    }

    fn initialize(&self) -> Result<(), Error> {
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match self.library.initialize(arguments) {
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
            other => other,
        }
    }

    /// Has the module look for its tokens anew.
    fn renew(&mut self) -> Result<(), Error> {
        match self.library.clone().finalize() {
            Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.initialize()
    }
}

fn modules() -> MutexGuard<'static, Vec<Module>> {
    // What a panic could leave behind is at worst a module to be initialized anew.
    MODULES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::CryptokiNotInitialized
                | RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::FunctionFailed
                | RvError::GeneralError
                | RvError::ObjectHandleInvalid
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn,
            _
        )
    )
}

/// Function and code: the crate's own words are the standard's, a paragraph each.
fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("C_{function:?}: {code:?}"),
        other => other.to_string(),
    }
}
