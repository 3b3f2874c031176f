use enlist_core::{KeyRotation, OnHardwareChange, Practice, Signing, SigningMethod};
use enlist_wire as wire;

/// How a group's devices go about things.
pub(crate) fn policy(practice: Practice) -> wire::DevicePolicy {
    wire::DevicePolicy {
        key_rotation: match practice.key_rotation {
            KeyRotation::Rotate => wire::KeyRotation::Rotate,
            KeyRotation::Keep => wire::KeyRotation::Keep,
        },
        on_hardware_change: match practice.on_hardware_change {
            OnHardwareChange::Ask => wire::OnHardwareChange::Ask,
            OnHardwareChange::Refuse => wire::OnHardwareChange::Refuse,
            OnHardwareChange::Reenroll => wire::OnHardwareChange::Reenroll,
        },
    }
}

/// The practice that a caller asks for.
pub(crate) fn practice(policy: wire::DevicePolicy) -> Practice {
    Practice {
        key_rotation: key_rotation(policy.key_rotation),
        on_hardware_change: on_hardware_change(policy.on_hardware_change),
    }
}

/// Of a practice, whether keys are to be new.
pub(crate) fn key_rotation(asked: wire::KeyRotation) -> KeyRotation {
    match asked {
        wire::KeyRotation::Rotate => KeyRotation::Rotate,
        wire::KeyRotation::Keep => KeyRotation::Keep,
    }
}

/// Of a practice, what is to follow on other hardware.
pub(crate) fn on_hardware_change(asked: wire::OnHardwareChange) -> OnHardwareChange {
    match asked {
        wire::OnHardwareChange::Ask => OnHardwareChange::Ask,
        wire::OnHardwareChange::Refuse => OnHardwareChange::Refuse,
        wire::OnHardwareChange::Reenroll => OnHardwareChange::Reenroll,
    }
}

/// Who signs.
pub(crate) fn signing(signing: &Signing) -> wire::Signing {
    wire::Signing {
        method: match signing.method {
            SigningMethod::Remote => wire::SigningMethod::Remote,
            SigningMethod::Local => wire::SigningMethod::Local,
            SigningMethod::External => wire::SigningMethod::External,
        },
        keys: signing.keys.clone(),
    }
}

/// Who is to sign, as a caller asks for it.
pub(crate) fn signing_asked(signing: &wire::Signing) -> Signing {
    Signing {
        method: match signing.method {
            wire::SigningMethod::Remote => SigningMethod::Remote,
            wire::SigningMethod::Local => SigningMethod::Local,
            wire::SigningMethod::External => SigningMethod::External,
        },
        keys: signing.keys.clone(),
    }
}
