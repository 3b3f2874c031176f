//! What a group makes of a TPM: lists, announcements, people.

use enlist_core::lower_hex;
use enlist_testkit::{Rig, SoftTpm, refusal};
use enlist_wire::{
    AttestationKind, DeviceAction, EnrollReply, Enrollment, Hardware, HardwareKind, NewDevice,
    NewGroup, WithoutProof, ZeroTouch,
};

use crate::maker::{Maker, TpmDevice};

pub fn group(
    rig: &Rig,
    enrollment: Enrollment,
    manifest: Option<&str>,
    without_proof: WithoutProof,
) {
    rig.group_with(&NewGroup {
        enrollment,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: manifest.map(str::to_owned),
            without_proof,
        }),
        ..NewGroup::named("pumps")
    });
}

fn announce(rig: &Rig, name: &str, tpm: &SoftTpm) {
    let announced = NewDevice {
        name: name.to_owned(),
        labels: Default::default(),
        hardware: Some(Hardware {
            kind: HardwareKind::TpmEk,
            value: lower_hex(&tpm.ek_key().digest()),
        }),
    };
    let created = rig.admin().create_device("default", "pumps", &announced);
    created.unwrap();
}

pub fn import_manifest(rig: &Rig, manifest: &str, tpms: &[&SoftTpm]) {
    let rows: String = tpms
        .iter()
        .map(|tpm| format!("tpm-ek,{}\n", lower_hex(&tpm.ek_key().digest())))
        .collect();
    let answer = rig.raw(
        "POST",
        &format!("/v1/tenants/default/manifests/{manifest}/entries"),
        &[
            ("authorization", &format!("Bearer {}", rig.admin_token())),
            ("content-type", "text/csv"),
        ],
        format!("kind,value\n{rows}").as_bytes(),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_tpm_on_the_manifest_needs_no_certificate_and_one_that_is_not_has_none_that_helps() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    let (listed, other) = (SoftTpm::new(), SoftTpm::new());
    import_manifest(&rig, "batch-7", &[&listed]);
    group(
        &rig,
        Enrollment::Open,
        Some("batch-7"),
        WithoutProof::Refuse,
    );
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, listed, "pumps", "pump-1");
    assert!(pump.enroll(&client).is_ok());
    let mut pump = TpmDevice::new(&rig, other, "pumps", "pump-2");
    let unknown = "attestation-unknown-manufacturer";
    assert_eq!(refusal(pump.enroll(&client)), unknown);
    // Its manufacturer vouches for it; the manifest does not have it.
    maker.import(&rig, "default");
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-2");
    let unlisted = "attestation-not-on-manifest";
    assert_eq!(refusal(pump.enroll(&client)), unlisted);
    import_manifest(&rig, "batch-7", &[&pump.tpm]);
    assert!(pump.enroll(&client).is_ok());
}

#[test]
fn a_known_group_lets_in_the_tpm_that_was_announced() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, Enrollment::Known, None, WithoutProof::Refuse);
    let tpm = maker.tpm();
    announce(&rig, "pump-7", &tpm);
    let client = rig.stranger();
    let mut stranger = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-8");
    assert_eq!(refusal(stranger.enroll(&client)), "unknown-device");
    // It brings no name of its own.
    let mut pump = TpmDevice::new(&rig, tpm, "pumps", "pump-7");
    pump.device.name = None;
    let EnrollReply::Enrolled(enrolled) = pump.enroll(&client).unwrap() else {
        panic!("it waits");
    };
    assert_eq!(enrolled.name, "pump-7");
}

#[test]
fn a_known_group_with_a_manifest_lets_in_who_was_announced_and_is_on_it() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    // Those that are listed have no certificate: the manifest alone vouches for them.
    let (both, listed, announced) = (SoftTpm::new(), SoftTpm::new(), maker.tpm());
    import_manifest(&rig, "batch-7", &[&both, &listed]);
    let (known, refuse) = (Enrollment::Known, WithoutProof::Refuse);
    group(&rig, known, Some("batch-7"), refuse);
    announce(&rig, "pump-1", &both);
    announce(&rig, "pump-3", &announced);
    let client = rig.stranger();
    let mut only_listed = TpmDevice::new(&rig, listed, "pumps", "pump-2");
    assert_eq!(refusal(only_listed.enroll(&client)), "unknown-device");
    let mut only_announced = TpmDevice::new(&rig, announced, "pumps", "pump-3");
    let unlisted = "attestation-not-on-manifest";
    assert_eq!(refusal(only_announced.enroll(&client)), unlisted);
    let mut pump = TpmDevice::new(&rig, both, "pumps", "pump-1");
    pump.device.name = None;
    let reply = pump.enroll(&client).unwrap();
    assert!(
        matches!(&reply, EnrollReply::Enrolled(enrolled) if enrolled.name == "pump-1"),
        "{reply:?}"
    );
    // What is announced or listed later counts from then on.
    announce(&rig, "pump-2", &only_listed.tpm);
    assert!(only_listed.enroll(&client).is_ok());
    import_manifest(&rig, "batch-7", &[&only_announced.tpm]);
    assert!(only_announced.enroll(&client).is_ok());
}

#[test]
fn a_person_decides_about_a_tpm_that_nobody_vouches_for_where_the_group_says_so() {
    let rig = Rig::new();
    group(&rig, Enrollment::Open, None, WithoutProof::Approve);
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, SoftTpm::new(), "pumps", "pump-1");
    let reply = pump.enroll(&client).unwrap();
    assert!(matches!(reply, EnrollReply::Pending(_)), "{reply:?}");
    // It asks again, with another challenge, and still waits.
    let again = pump.enroll(&client).unwrap();
    assert_eq!(again, reply);
    let action = DeviceAction::default();
    let approved = rig.admin().approve("default", "pumps", "pump-1", &action);
    approved.unwrap();
    let reply = pump.enroll(&client).unwrap();
    assert!(matches!(reply, EnrollReply::Enrolled(_)), "{reply:?}");
}

#[test]
fn one_tpm_with_many_keys_at_once_gets_in_once() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, Enrollment::Open, None, WithoutProof::Refuse);
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let client = rig.stranger();
    let requests: Vec<_> = (0..8)
        .map(|number| {
            pump.device = rig.device("pumps", &format!("pump-{number}"), "");
            pump.answer(&pump.ask(&client).unwrap())
        })
        .collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = requests
            .iter()
            .map(|request| scope.spawn(|| rig.stranger().enroll(request)))
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (entered, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(entered.len(), 1);
    for outcome in refused {
        assert_eq!(refusal(outcome), "attested-already-enrolled");
    }
}
