//! Finding a token and logging into it.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use secrecy::{ExposeSecret, SecretString};

use super::held::Held;
use super::module::{Module, locked};
use super::{Token, pin};
use crate::store::KeyStoreError;

/// Why there is no session.
pub(super) enum LogIn {
    /// There is no such token.
    Missing,
    Pin(KeyStoreError),
    Failed(Error),
}

impl Token {
    /// Opens a session and logs in.
    pub(super) fn open(&self, module: &Module) -> Result<Held, LogIn> {
        let slot = self.slot(&module.library).map_err(LogIn::Failed)?;
        self.log_in(module, slot.ok_or(LogIn::Missing)?)
            .map(Held::new)
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

    fn log_in(&self, module: &Module, slot: Slot) -> Result<Session, LogIn> {
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
        let mut refusals = locked(&module.refused);
        if refusals.iter().any(same) {
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
                refusals.push(pin);
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

    pub(super) fn missing(&self, library: &Pkcs11) -> KeyStoreError {
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
            remedy: "plug it in, set it up, or name another".into(),
            source: format!("the module shows no such token; {others}").into(),
        }
    }
}
