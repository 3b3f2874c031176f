use enlist_core::{AttestationKind, Name, WithoutProof};
use enlist_ops::{Error, GroupView, ZeroTouchChange};
use enlist_wire as wire;

/// What a group takes in place of a secret.
pub(super) fn zero_touch(view: &GroupView) -> Option<wire::ZeroTouch> {
    let policy = view.group.zero_touch.as_ref()?;
    let kinds = policy.accept.iter().map(|kind| match kind {
        AttestationKind::Tpm => wire::AttestationKind::Tpm,
        AttestationKind::Idevid => wire::AttestationKind::Idevid,
    });
    Some(wire::ZeroTouch {
        accept: kinds.collect(),
        manifest: view.manifest.as_ref().map(ToString::to_string),
        without_proof: match policy.without_proof {
            WithoutProof::Refuse => wire::WithoutProof::Refuse,
            WithoutProof::Approve => wire::WithoutProof::Approve,
        },
    })
}

/// What a new group is to take.
pub(super) fn zero_touch_of_new(new: Option<&wire::ZeroTouch>) -> Result<ZeroTouchChange, Error> {
    let Some(new) = new else {
        return Ok(ZeroTouchChange::default());
    };
    Ok(ZeroTouchChange {
        accept: Some(accepted(&new.accept)),
        manifest: new.manifest.as_deref().map(manifest).transpose()?,
        without_proof: Some(without_proof(new.without_proof)),
    })
}

/// What is to be different.
pub(super) fn zero_touch_changed(
    change: Option<&wire::ZeroTouchChange>,
) -> Result<ZeroTouchChange, Error> {
    let Some(change) = change else {
        return Ok(ZeroTouchChange::default());
    };
    Ok(ZeroTouchChange {
        accept: change.accept.as_deref().map(accepted),
        manifest: change.manifest.as_deref().map(manifest).transpose()?,
        without_proof: change.without_proof.map(without_proof),
    })
}

fn accepted(kinds: &[wire::AttestationKind]) -> Vec<AttestationKind> {
    let kinds = kinds.iter().map(|kind| match kind {
        wire::AttestationKind::Tpm => AttestationKind::Tpm,
        wire::AttestationKind::Idevid => AttestationKind::Idevid,
    });
    kinds.collect()
}

fn manifest(name: &str) -> Result<Option<Name>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    Ok(Some(name.parse()?))
}

fn without_proof(what: wire::WithoutProof) -> WithoutProof {
    match what {
        wire::WithoutProof::Refuse => WithoutProof::Refuse,
        wire::WithoutProof::Approve => WithoutProof::Approve,
    }
}
