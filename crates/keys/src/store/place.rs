//! Where the wrapping key of the file store lies.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use enlist_core::Rng;
use secrecy::SecretString;

#[cfg(feature = "tpm")]
use super::sealed;
use super::{Binding, KeyStoreError, StoreKind, Wrapping};
use crate::file;
use crate::file_key::FileKey;
use crate::wrapping::{WrappingKey, WrappingKeyError};

const CREDENTIAL: &str = "enlist-wrapping-key";
const KEY_FILE: &str = "wrapping.key";
#[cfg(feature = "tpm")]
const SEALED: &str = "wrapping.sealed";

/// The places that hold a wrapping key, or could.
pub(super) struct Places {
    /// Where keys are unwrapped from, in this order.
    all: Vec<Place>,
    /// Whether new keys are wrapped from the first place and from no other.
    first_only: bool,
}

impl Places {
    /// What `wrapping` asks for comes first; where a key may still lie from before follows.
    pub fn new(
        wrapping: &Wrapping,
        directory: &Path,
        credentials: Option<&Path>,
    ) -> Result<Self, KeyStoreError> {
        let credential = credentials.map(|path| Place::Credential(path.join(CREDENTIAL)));
        let sealed = sealed_place(directory, wrapping);
        let mut places: Vec<_> = credential.into_iter().chain(sealed).collect();
        places.push(Place::KeyFile(directory.join(KEY_FILE)));
        let asked = |place: &Place| match wrapping {
            Wrapping::Best => true,
            Wrapping::Credential => matches!(place, Place::Credential(_)),
            Wrapping::KeyFile => matches!(place, Place::KeyFile(_)),
            #[cfg(feature = "tpm")]
            Wrapping::Tpm(_) => matches!(place, Place::Sealed { .. }),
            #[cfg(not(feature = "tpm"))]
            Wrapping::Tpm(_) => false,
        };
        let (mut all, others): (Vec<_>, Vec<_>) = places.into_iter().partition(asked);
        match wrapping {
            // Outside systemd there is no such directory; the path then says what to do.
            Wrapping::Credential if all.is_empty() => {
                let nowhere = Path::new("$CREDENTIALS_DIRECTORY").join(CREDENTIAL);
                all.push(Place::Credential(nowhere));
            }
            Wrapping::Tpm(_) if all.is_empty() => {
                return Err(KeyStoreError::NotBuilt(StoreKind::Tpm));
            }
            _ => {}
        }
        all.extend(others);
        Ok(Self {
            all,
            first_only: *wrapping != Wrapping::Best,
        })
    }

    /// One key, in memory.
    pub fn caller(key: WrappingKey) -> Self {
        Self {
            all: vec![Place::Caller(Arc::new(key))],
            first_only: true,
        }
    }

    /// Where new keys are wrapped from, as far as one can say without asking a device.
    pub fn binding(&self) -> Binding {
        self.candidates()
            .find(|place| place.is_there())
            .or_else(|| self.candidates().find(|place| place.is_likely()))
            .or(self.all.first())
            .map_or(Binding::KeyFile, Place::binding)
    }

    /// Wraps a key, with a new wrapping key where there is none yet.
    pub fn wrap(&self, key: &FileKey, rng: &dyn Rng) -> Result<Vec<u8>, KeyStoreError> {
        let wrapping = match self.candidates().find(|place| place.is_there()) {
            Some(place) => place.load()?,
            None => self.make(rng)?,
        };
        Ok(wrapping.wrap(key, rng)?)
    }

    /// Opens a wrapped key with whichever wrapping key opens it.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<FileKey, KeyStoreError> {
        let mut failed = None;
        for place in self.all.iter().filter(|place| place.is_there()) {
            match place.load().and_then(|key| Ok(key.unwrap(wrapped)?)) {
                Ok(key) => return Ok(key),
                // That one key is another is expected, where there are two; that one can't
                // be read says more.
                Err(error) if failed.as_ref().is_none_or(is_wrong_key) => failed = Some(error),
                Err(_) => {}
            }
        }
        Err(failed.unwrap_or_else(|| {
            let path = self.all.first().and_then(Place::path);
            WrappingKeyError::Missing(path.unwrap_or(Path::new(KEY_FILE)).to_owned()).into()
        }))
    }

    /// Whether what new keys are wrapped with can be had, or be made.
    pub fn probe(&self) -> Result<(), KeyStoreError> {
        match self.candidates().find(|place| place.is_there()) {
            Some(place) => place.load().map(drop),
            None if self.candidates().any(Place::is_likely) => Ok(()),
            None => {
                let path = self.all.first().and_then(Place::path);
                let path = path.unwrap_or(Path::new(KEY_FILE)).to_owned();
                Err(WrappingKeyError::Missing(path).into())
            }
        }
    }

    /// Destroys them all, as far as they are ours.
    pub fn destroy(&mut self, rng: &dyn Rng) -> Result<(), KeyStoreError> {
        for place in &self.all {
            place.destroy(rng)?;
        }
        self.all.retain(|place| !matches!(place, Place::Caller(_)));
        Ok(())
    }

    /// Where a key that wraps new ones may lie.
    fn candidates(&self) -> impl Iterator<Item = &Place> {
        let count = if self.first_only { 1 } else { self.all.len() };
        self.all.iter().take(count)
    }

    fn make(&self, rng: &dyn Rng) -> Result<Arc<WrappingKey>, KeyStoreError> {
        let mut failed = None;
        for place in self.candidates() {
            match place.make(rng) {
                Ok(key) => return Ok(key),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(WrappingKeyError::Missing(PathBuf::from(KEY_FILE)).into()))
    }
}

/// One of them.
enum Place {
    /// The caller's memory.
    Caller(Arc<WrappingKey>),
    /// A systemd credential: a file that systemd decrypted for this service alone.
    Credential(PathBuf),
    /// A file that the TPM alone can open.
    #[cfg(feature = "tpm")]
    Sealed {
        tpm: crate::store::TpmAddress,
        path: PathBuf,
    },
    /// A file of the owner's alone.
    KeyFile(PathBuf),
}

#[cfg(feature = "tpm")]
fn sealed_place(directory: &Path, wrapping: &Wrapping) -> Option<Place> {
    let tpm = match wrapping {
        Wrapping::Tpm(address) => address.clone(),
        _ => crate::store::TpmAddress::Machine,
    };
    let path = directory.join(SEALED);
    Some(Place::Sealed { tpm, path })
}

#[cfg(not(feature = "tpm"))]
fn sealed_place(_directory: &Path, _wrapping: &Wrapping) -> Option<Place> {
    None
}

impl Place {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Caller(_) => None,
            Self::Credential(path) | Self::KeyFile(path) => Some(path),
            #[cfg(feature = "tpm")]
            Self::Sealed { path, .. } => Some(path),
        }
    }

    /// Whether there is something to load, sound or not.
    fn is_there(&self) -> bool {
        // A link that leads nowhere, or a directory one may not look into, is not nothing.
        self.path()
            .is_none_or(|path| match fs::symlink_metadata(path) {
                Ok(_) => true,
                Err(error) => error.kind() != ErrorKind::NotFound,
            })
    }

    /// Whether a new one would be made here.
    fn is_likely(&self) -> bool {
        match self {
            Self::Caller(_) | Self::KeyFile(_) => true,
            Self::Credential(_) => false,
            #[cfg(feature = "tpm")]
            Self::Sealed { tpm, .. } => sealed::can_seal(tpm),
        }
    }

    fn binding(&self) -> Binding {
        match self {
            Self::Caller(_) => Binding::Caller,
            Self::Credential(_) => Binding::SystemdCredential,
            #[cfg(feature = "tpm")]
            Self::Sealed { .. } => Binding::Tpm,
            Self::KeyFile(_) => Binding::KeyFile,
        }
    }

    fn load(&self) -> Result<Arc<WrappingKey>, KeyStoreError> {
        Ok(match self {
            Self::Caller(key) => Arc::clone(key),
            // Its mode is systemd's affair: with an access list, the group's bits show.
            Self::Credential(path) => {
                let text = fs::read_to_string(path).map_err(|source| io_error(path, source))?;
                Arc::new(WrappingKey::from_text(&SecretString::from(text))?)
            }
            #[cfg(feature = "tpm")]
            Self::Sealed { tpm, path } => {
                let text = fs::read_to_string(path).map_err(|source| io_error(path, source))?;
                Arc::new(sealed::open(tpm, &text)?)
            }
            Self::KeyFile(path) => Arc::new(WrappingKey::load(path)?),
        })
    }

    fn make(&self, rng: &dyn Rng) -> Result<Arc<WrappingKey>, KeyStoreError> {
        match self {
            Self::Caller(key) => Ok(Arc::clone(key)),
            Self::Credential(path) => Err(WrappingKeyError::Missing(path.clone()).into()),
            #[cfg(feature = "tpm")]
            Self::Sealed { tpm, path } => Ok(Arc::new(sealed::make(tpm, path, rng)?)),
            Self::KeyFile(path) => Ok(Arc::new(WrappingKey::make(path, rng)?)),
        }
    }

    fn destroy(&self, rng: &dyn Rng) -> Result<(), KeyStoreError> {
        match self {
            Self::Caller(_) | Self::Credential(_) => Ok(()),
            #[cfg(feature = "tpm")]
            Self::Sealed { path, .. } => {
                file::erase(path, rng).map_err(|source| io_error(path, source))
            }
            Self::KeyFile(path) => file::erase(path, rng).map_err(|source| io_error(path, source)),
        }
    }
}

fn is_wrong_key(error: &KeyStoreError) -> bool {
    matches!(error, KeyStoreError::Wrapping(WrappingKeyError::WrongKey))
}

pub(super) fn io_error(path: &Path, source: io::Error) -> KeyStoreError {
    KeyStoreError::Io {
        path: path.to_owned(),
        source,
    }
}
