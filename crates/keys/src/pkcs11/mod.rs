//! A PKCS#11 token, with a session an operation or with sessions that stay open.

mod failure;
mod held;
mod login;
mod module;
mod object;
mod pin;

use std::sync::Arc;

use cryptoki::error::{Error, RvError};

pub(crate) use object::KeyId;

use crate::store::{KeyStoreError, Pkcs11Spec};
use failure::{is_lost, words};
use held::Held;
use login::LogIn;
use module::Module;

/// A token, whether it is there or not.
#[derive(Clone)]
pub(crate) struct Token {
    spec: Arc<Pkcs11Spec>,
    keeps_sessions: bool,
}

/// Why an attempt came to nothing.
enum Failure {
    /// The token was there and is not any more, or was not there: worth one new beginning.
    Lost(KeyStoreError),
    /// It answered.
    Said(KeyStoreError),
}

impl Token {
    /// A token that is logged into for each operation, and logged out of again.
    pub fn new(spec: Pkcs11Spec) -> Self {
        Self {
            spec: Arc::new(spec),
            keeps_sessions: false,
        }
    }

    /// A token that stays logged into: for servers, which sign all day.
    pub fn kept(spec: Pkcs11Spec) -> Self {
        Self {
            spec: Arc::new(spec),
            keeps_sessions: true,
        }
    }

    /// Lets `work` use a session; once more with a new one if the token was lost.
    fn session<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&Held) -> Result<T, Error>,
    ) -> Result<T, KeyStoreError> {
        self.until(doing, |_| true, work)
    }

    /// The same for what should be there. A module that looked while its token went shows it empty from
    /// then on, so that what is missing is looked for once more with a module that begins anew.
    fn sought<T>(
        &self,
        doing: &'static str,
        work: impl Fn(&Held) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, KeyStoreError> {
        self.until(doing, Option::is_some, work)
    }

    fn until<T>(
        &self,
        doing: &'static str,
        is_good: impl Fn(&T) -> bool,
        work: impl Fn(&Held) -> Result<T, Error>,
    ) -> Result<T, KeyStoreError> {
        let module = Module::loaded(&self.spec.module)?;
        let turn = module.turn();
        let era = *turn;
        let first = self.attempt(&module, doing, &work);
        drop(turn);
        let done = match first {
            Ok(done) if is_good(&done) => Ok(done),
            Err(Failure::Said(error)) => Err(Failure::Said(error)),
            Ok(_) | Err(Failure::Lost(_)) => {
                let renewed = module.renew(era);
                renewed.map_err(|error| self.unreachable(&error))?;
                let _turn = module.turn();
                self.attempt(&module, doing, &work)
            }
        };
        done.map_err(|(Failure::Lost(error) | Failure::Said(error))| error)
    }

    fn attempt<T>(
        &self,
        module: &Module,
        doing: &'static str,
        work: impl Fn(&Held) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        loop {
            let place = module.place(&self.spec);
            let mut place = place.ok_or_else(|| Failure::Said(self.occupied()))?;
            let held = match place.take() {
                Some(held) => held,
                None => match self.open(module) {
                    Ok(held) => held,
                    Err(LogIn::Failed(Error::Pkcs11(RvError::SessionCount, _)))
                        if module.make_do() =>
                    {
                        continue;
                    }
                    Err(LogIn::Failed(error)) => return Err(self.failed("log in", &error)),
                    Err(LogIn::Missing) => {
                        return Err(Failure::Lost(self.missing(&module.library)));
                    }
                    Err(LogIn::Pin(error)) => return Err(Failure::Said(error)),
                },
            };
            let done = work(&held).map_err(|error| self.failed(doing, &error))?;
            if self.keeps_sessions {
                place.keep(&self.spec, held);
            }
            return Ok(done);
        }
    }

    fn failed(&self, doing: &'static str, error: &Error) -> Failure {
        if is_lost(error) {
            return Failure::Lost(self.unreachable(error));
        }
        Failure::Said(KeyStoreError::Refused {
            what: self.name(),
            doing,
            source: words(error).into(),
        })
    }

    fn name(&self) -> String {
        let wanted = self.spec.token.as_ref().or(self.spec.serial.as_ref());
        format!("the token `{}`", wanted.map_or("", String::as_str))
    }

    fn unreachable(&self, error: &Error) -> KeyStoreError {
        KeyStoreError::Unreachable {
            what: self.name(),
            remedy: "see that it is plugged in, and that its service runs".into(),
            source: words(error).into(),
        }
    }

    fn occupied(&self) -> KeyStoreError {
        KeyStoreError::Unreachable {
            what: self.name(),
            remedy: "see whether it answers at all".into(),
            source: "all sessions with it are waiting for it".into(),
        }
    }
}
