//! Objects in a TPM: made, kept, found, used and removed.

use enlist_pki::KeyKind;
use tpm2_protocol::basic::{TpmHandle, TpmUint32};
use tpm2_protocol::data::{
    Tpm2bData, Tpm2bDigest, Tpm2bPrivate, Tpm2bPublic, Tpm2bSensitiveCreate, TpmAlgId, TpmCap,
    TpmRcBase, TpmRh, TpmSt, TpmaObject, TpmlPcrSelection, TpmsSchemeHash, TpmsSensitiveCreate,
    TpmtSigScheme, TpmtTkHashcheck, TpmuCapabilities, TpmuPublicId, TpmuPublicParms, TpmuSigScheme,
    TpmuSignature,
};
use tpm2_protocol::frame::{
    TpmCreateCommand, TpmCreatePrimaryCommand, TpmCreatePrimaryResponse, TpmCreateResponse,
    TpmEvictControlCommand, TpmEvictControlResponse, TpmFlushContextCommand,
    TpmFlushContextResponse, TpmGetCapabilityCommand, TpmGetCapabilityResponse, TpmLoadCommand,
    TpmLoadResponse, TpmReadPublicCommand, TpmReadPublicResponse, TpmSignCommand, TpmSignResponse,
};

use super::{Auth, Failure, Tpm, template};
use crate::ecdsa;

/// Where the TCG has the storage root key persist.
const STORAGE_ROOT: u32 = 0x8100_0001;
/// The handles of what is loaded and not persistent: sessions, and objects.
const PASSING: [(u32, u32); 2] = [(0x0200_0000, 0x03ff_ffff), (0x8000_0000, 0x80ff_ffff)];

/// An elliptic-curve key's public half.
pub(crate) struct Point {
    pub kind: KeyKind,
    pub x: Vec<u8>,
    pub y: Vec<u8>,
}

/// What is at a handle.
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// Something that does not sign as our keys do.
    Other,
    /// A key that signs what it is given: one of ours, or one that its manufacturer has left.
    Key(Point),
}

impl Tpm {
    /// Makes a signing key and keeps it at `handle`, where nothing may be yet. `None` where
    /// this TPM knows no such keys.
    pub fn make_key(&mut self, kind: KeyKind, handle: u32) -> Result<Option<Point>, Failure> {
        let Some(public) = template::signing(kind) else {
            return Ok(None);
        };
        let made = self.under_storage_root(|tpm, parent| {
            let made = match tpm.create(parent, TpmsSensitiveCreate::default(), public) {
                Ok(made) => made,
                Err(error) if error.is(TpmRcBase::Curve) || error.is(TpmRcBase::Value) => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            tpm.loaded(parent, &made, |tpm, key| {
                tpm.evict_control(key, handle, "keep a key")
            })?;
            Ok(Some(made.out_public))
        })?;
        Ok(made.as_ref().and_then(point))
    }

    /// What is at a persistent handle.
    pub fn find(&mut self, handle: u32) -> Result<Found, Failure> {
        Ok(match self.public_at(handle)? {
            None => Found::Nothing,
            Some(public) => point(&public).map_or(Found::Other, Found::Key),
        })
    }

    /// Removes what is at a persistent handle; fine if there is nothing.
    pub fn remove(&mut self, handle: u32) -> Result<(), Failure> {
        if self.public_at(handle)?.is_none() {
            return Ok(());
        }
        self.evict_control(handle, handle, "remove a key")
    }

    /// The persistent handles that are in use, from `first` to `last`, rising.
    pub fn handles(&mut self, first: u32, last: u32) -> Result<Vec<u32>, Failure> {
        let mut found: Vec<u32> = Vec::new();
        let mut next = Some(first);
        while let Some(from) = next {
            let command = TpmGetCapabilityCommand {
                handles: [],
                cap: TpmCap::Handles,
                property: TpmUint32::from(from),
                property_count: TpmUint32::from(PAGE),
            };
            let answer: TpmGetCapabilityResponse = self.run(&command, Auth::None, "list keys")?;
            let TpmuCapabilities::Handles(page) = &answer.capability_data.data else {
                break;
            };
            let page: Vec<u32> = page.iter().map(|handle| handle.value()).collect();
            // A TPM that goes round in circles is left where it turns.
            let rising = page.iter().all(|handle| *handle >= from);
            next = page
                .last()
                .filter(|last_seen| rising && **last_seen < last)
                .filter(|_| bool::from(answer.more_data))
                .and_then(|last_seen| last_seen.checked_add(1));
            found.extend(
                page.into_iter()
                    .filter(|handle| (first..=last).contains(handle)),
            );
        }
        Ok(found)
    }

    /// Signs a digest of the length that goes with the curve, and returns `Ecdsa-Sig-Value`;
    /// `None` where the TPM made something else. Whether it verifies is for the caller to see.
    pub fn sign(
        &mut self,
        handle: u32,
        kind: KeyKind,
        digest: &[u8],
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Some((_, hash_alg)) = template::curve(kind) else {
            return Ok(None);
        };
        let command = TpmSignCommand {
            handles: [TpmHandle::from(handle)],
            digest: Tpm2bDigest::try_from(digest)?,
            in_scheme: TpmtSigScheme {
                scheme: TpmAlgId::Ecdsa,
                details: TpmuSigScheme::Hash(TpmsSchemeHash { hash_alg }),
            },
            // It was not the TPM that hashed.
            validation: TpmtTkHashcheck {
                tag: TpmSt::HashCheck,
                hierarchy: TpmRh::Null,
                digest: Tpm2bDigest::default(),
            },
        };
        let answer: TpmSignResponse = self.run(&command, Auth::Empty, "sign")?;
        Ok(match answer.signature.signature {
            TpmuSignature::Ecdsa(pair) => ecdsa::signature(&pair.signature_r, &pair.signature_s),
            _ => None,
        })
    }

    /// Lets `work` use the storage root key: the persistent one, or one that is made for it
    /// and flushed.
    pub(super) fn under_storage_root<T>(
        &mut self,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let persistent = self.public_at(STORAGE_ROOT)?;
        if persistent.is_some_and(|public| template::is_storage_root(&public.inner)) {
            return work(self, STORAGE_ROOT);
        }
        self.under_primary(work)
    }

    /// The same, always with one that is made for it.
    pub(super) fn under_primary<T>(
        &mut self,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let root = template::storage_root()?;
        let primary = self.create_primary(TpmRh::Owner, root, "make its storage root key")?;
        self.flushed(primary, work)
    }

    /// `TPM2_CreatePrimary`, Part 3 section 24.1. The same seed and template always make the same key.
    /// It is for the caller to flush.
    pub(super) fn create_primary(
        &mut self,
        hierarchy: TpmRh,
        in_public: Tpm2bPublic,
        doing: &'static str,
    ) -> Result<u32, Failure> {
        let command = TpmCreatePrimaryCommand {
            handles: [TpmHandle::from(hierarchy as u32)],
            in_public,
            ..TpmCreatePrimaryCommand::default()
        };
        let made: TpmCreatePrimaryResponse = self.run(&command, Auth::Empty, doing)?;
        Ok(made.handles[0].value())
    }

    pub(super) fn create(
        &mut self,
        parent: u32,
        sensitive: TpmsSensitiveCreate,
        in_public: Tpm2bPublic,
    ) -> Result<TpmCreateResponse, Failure> {
        let command = TpmCreateCommand {
            handles: [TpmHandle::from(parent)],
            in_sensitive: Tpm2bSensitiveCreate { inner: sensitive },
            in_public,
            outside_info: Tpm2bData::default(),
            creation_pcr: TpmlPcrSelection::default(),
        };
        self.run(&command, Auth::Empty, "make an object")
    }

    /// Loads what was created, lets `work` use it, and flushes it.
    fn loaded<T>(
        &mut self,
        parent: u32,
        made: &TpmCreateResponse,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.loaded_from(parent, made.out_private, made.out_public.clone(), work)
    }

    pub(super) fn loaded_from<T>(
        &mut self,
        parent: u32,
        in_private: Tpm2bPrivate,
        in_public: Tpm2bPublic,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let command = TpmLoadCommand {
            handles: [TpmHandle::from(parent)],
            in_private,
            in_public,
        };
        let answer: TpmLoadResponse = self.run(&command, Auth::Empty, "load what it made")?;
        self.flushed(answer.handles[0].value(), work)
    }

    /// Lets `work` use a transient object or a session, and flushes it in any case.
    pub(super) fn flushed<T>(
        &mut self,
        handle: u32,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let done = work(self, handle);
        let flushed = self.flush(handle);
        let done = done?;
        flushed.map(|()| done)
    }

    pub(super) fn flush(&mut self, handle: u32) -> Result<(), Failure> {
        let command = TpmFlushContextCommand {
            handles: [],
            flush_handle: TpmHandle::from(handle),
        };
        let _: TpmFlushContextResponse = self.run(&command, Auth::None, "flush a key")?;
        Ok(())
    }

    pub(super) fn flush_all(&mut self) -> Result<(), Failure> {
        for (first, last) in PASSING {
            for handle in self.handles(first, last)? {
                self.flush(handle)?;
            }
        }
        Ok(())
    }

    pub(super) fn public_at(&mut self, handle: u32) -> Result<Option<Tpm2bPublic>, Failure> {
        let command = TpmReadPublicCommand {
            handles: [TpmHandle::from(handle)],
        };
        let doing = "show a key";
        match self.run::<_, TpmReadPublicResponse>(&command, Auth::None, doing) {
            Ok(answer) => Ok(Some(answer.out_public)),
            Err(error) if error.is(TpmRcBase::Handle) || error.is(TpmRcBase::Value) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `TPM2_EvictControl`, Part 3 section 28.5: keeps a loaded object at a persistent handle,
    /// or removes the persistent object that is given.
    fn evict_control(
        &mut self,
        object: u32,
        persistent: u32,
        doing: &'static str,
    ) -> Result<(), Failure> {
        let command = TpmEvictControlCommand {
            handles: [TpmRh::Owner as u32, object].map(TpmHandle::from),
            persistent_handle: TpmHandle::from(persistent),
        };
        let _: TpmEvictControlResponse = self.run(&command, Auth::Empty, doing)?;
        Ok(())
    }
}

/// How many handles are asked for at once.
const PAGE: u32 = 64;

/// The point of a key that signs whatever it is given, for whoever asks.
fn point(public: &Tpm2bPublic) -> Option<Point> {
    let public = &public.inner;
    let (TpmuPublicParms::Ecc(parameters), TpmuPublicId::Ecc(at)) =
        (&public.parameters, &public.unique)
    else {
        return None;
    };
    let kind = [KeyKind::P256, KeyKind::P384]
        .into_iter()
        .find(|kind| template::curve(*kind).is_some_and(|(id, _)| id == parameters.curve_id))?;
    let attributes = public.object_attributes;
    let signs = attributes.contains(TpmaObject::SIGN_ENCRYPT | TpmaObject::USER_WITH_AUTH)
        && !attributes.contains(TpmaObject::RESTRICTED)
        && !attributes.contains(TpmaObject::DECRYPT);
    signs.then(|| Point {
        kind,
        x: at.x.to_vec(),
        y: at.y.to_vec(),
    })
}
