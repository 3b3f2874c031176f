//! Whether the key store opens, holds the device's key, and what keeps a copy of the disk from being
//! as good as the device.

use enlist_keys::{Binding, StoreKind};

use super::Finding;
use super::patient::Patient;
use crate::explain;

pub(super) fn check(patient: &Patient) -> Finding {
    if let Some(why) = &patient.no_keys {
        return Finding::failed(why, "name another key_store in the configuration");
    }
    let Some(keys) = patient.vault.keys_if_any() else {
        return Finding::skipped("no key store is open");
    };
    if let Err(error) = keys.probe() {
        return Finding::failed(
            explain(&error),
            "see that the device or token is there, and that the user the agent runs as may use it",
        );
    }
    let slot = patient.identity().map(|own| own.slot);
    let key = match slot.map(|slot| patient.vault.reference_if_any(slot)) {
        Some(Ok(key)) => key,
        Some(Err(error)) => return broken(explain(&error)),
        None => None,
    };
    if let Some(key) = &key
        && let Err(error) = keys.key(key)
    {
        return broken(explain(&error));
    }
    let lies_in = key.as_ref().and_then(enlist_keys::KeyReference::kind);
    let wanted = keys.kind();
    if lies_in.is_some_and(|kind| kind != wanted) {
        return Finding::warning(
            format!("the key lies in the key store `file`, and `{wanted}` is configured"),
            "the next renewal makes a key there; `enlist-agent renew` does it now",
        );
    }
    if lies_in == Some(StoreKind::File) && key.as_ref().is_some_and(|key| is_plain(key.as_str())) {
        return Finding::warning(
            "the key lies in the clear, as earlier versions kept it",
            "the next renewal makes an encrypted one; `enlist-agent renew` does it now",
        );
    }
    bound(wanted, keys.binding(key.as_ref()))
}

fn bound(kind: StoreKind, binding: Binding) -> Finding {
    let found = |how| format!("`{kind}`: {how}");
    match binding {
        Binding::Hardware => Finding::ok(found("keys never leave the hardware")),
        Binding::Tpm => Finding::ok(found("keys are encrypted, bound to this machine's TPM")),
        Binding::SystemdCredential => {
            Finding::ok(found("keys are encrypted under a systemd credential"))
        }
        Binding::Caller => Finding::ok(found("keys are encrypted under a key in memory")),
        Binding::KeyFile => Finding::warning(
            found(
                "keys are encrypted under wrapping.key, which lies beside them: who copies the \
                   whole disk has both",
            ),
            "use the machine's TPM (`tpm`, or `file:wrapping=tpm`), a token (`pkcs11:…`), or a systemd \
             credential `enlist-wrapping-key`; new keys go there by themselves",
        ),
    }
}

fn broken(why: String) -> Finding {
    Finding::failed(
        why,
        "has the disk come from another board, or was the key store emptied? Deprovision the device on \
         the server and enroll it anew",
    )
}

fn is_plain(reference: &str) -> bool {
    !reference.starts_with("-----BEGIN ENCRYPTED ")
}
