//! A group that has come to take less than it did: who was let in before asks again.

use enlist_testkit::{Rig, SoftTpm, refusal};
use enlist_wire::{
    AttestationKind, DeviceAction, Enrollment, GroupChange, WithoutProof, ZeroTouchChange,
};

use crate::groups;
use crate::maker::{Maker, TpmDevice, group};

fn change(rig: &Rig, change: ZeroTouchChange) {
    let change = GroupChange {
        zero_touch: Some(change),
        ..GroupChange::default()
    };
    let changed = rig.admin().change_group("default", "pumps", &change);
    changed.unwrap();
}

fn accept(rig: &Rig, accept: &[AttestationKind]) {
    let accept = Some(accept.to_vec());
    change(
        rig,
        ZeroTouchChange {
            accept,
            ..ZeroTouchChange::default()
        },
    );
}

#[test]
fn where_tpms_count_no_more_a_lost_reply_is_given_again_beside_a_secret_alone() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let reply = pump.enroll(&client).unwrap();
    let request = pump.answer(&pump.ask(&client).unwrap());
    for kinds in [&[AttestationKind::Idevid][..], &[]] {
        accept(&rig, kinds);
        let again = client.enroll(&request);
        assert_eq!(refusal(again), "attestation-required", "{kinds:?}");
    }
    let secret = rig
        .admin()
        .create_secret("default", "pumps", &Default::default());
    let mut by_secret = request.clone();
    by_secret.secret = Some(secret.unwrap().secret.expose().to_owned().into());
    assert_eq!(client.enroll(&by_secret).unwrap(), reply);
    // Who is in stays in, and renews.
    assert!(pump.device.clone().renew(&rig).is_ok());
    let mut late = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-2");
    assert_eq!(refusal(late.enroll(&client)), "attestation-required");
}

#[test]
fn off_the_manifest_a_lost_reply_is_still_given_again_and_nothing_else() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let (vouched, bare) = (maker.tpm(), SoftTpm::new());
    groups::import_manifest(&rig, "batch-7", &[&vouched, &bare]);
    groups::import_manifest(&rig, "batch-8", &[&SoftTpm::new()]);
    let (open, refuse) = (Enrollment::Open, WithoutProof::Refuse);
    groups::group(&rig, open, Some("batch-7"), refuse);
    let client = rig.stranger();
    let mut vouched = TpmDevice::new(&rig, vouched, "pumps", "pump-1");
    let mut bare = TpmDevice::new(&rig, bare, "pumps", "pump-2");
    let reply = vouched.enroll(&client).unwrap();
    let other = bare.enroll(&client).unwrap();
    assert_eq!(bare.enroll(&client).unwrap(), other);
    let manifest = Some("batch-8".to_owned());
    change(
        &rig,
        ZeroTouchChange {
            manifest,
            ..ZeroTouchChange::default()
        },
    );
    assert_eq!(vouched.enroll(&client).unwrap(), reply);
    // Without a certificate the manifest was all that spoke for it.
    let unknown = "attestation-unknown-manufacturer";
    assert_eq!(refusal(bare.enroll(&client)), unknown);
    // To come back with another key it has to be listed, as anybody.
    let (admin, act) = (rig.admin(), DeviceAction::default());
    let before = admin.deprovision("default", "pumps", "pump-1", &act);
    vouched.begin_anew(&rig);
    let unlisted = "attestation-not-on-manifest";
    assert_eq!(refusal(vouched.enroll(&client)), unlisted);
    groups::import_manifest(&rig, "batch-8", &[&vouched.tpm]);
    assert!(vouched.enroll(&client).is_ok());
    assert_eq!(vouched.device.id(), before.unwrap().device_id);
}
