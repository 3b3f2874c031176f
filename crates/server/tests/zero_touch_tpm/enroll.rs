//! Who gets in, and who does not.

use enlist_core::lower_hex;
use enlist_testkit::{Rig, SoftTpm, refusal, soft_tpm};
use enlist_wire::{
    AttestationKind, DeviceAction, EnrollReply, EventsQuery, Hardware, HardwareKind, NewGroup,
    NewTenant, WithoutProof, ZeroTouch,
};

use crate::maker::{Maker, TpmDevice, group, tpm_of};

#[test]
fn a_device_with_a_tpm_of_a_known_make_needs_no_secret() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let reply = pump.enroll(&rig.stranger()).unwrap();
    let EnrollReply::Enrolled(enrolled) = reply else {
        panic!("it waits: {reply:?}");
    };
    assert_eq!(enrolled.name, "pump-1");
    assert!(pump.device.client(&rig).device_self().is_ok());
    let events = rig.admin().events("default", &EventsQuery::default());
    let identity = format!("tpm-ek:{}", lower_hex(&pump.tpm.ek_key().digest()));
    let told = events.unwrap().items.iter().any(|event| {
        event.device.as_deref() == Some("pump-1")
            && event
                .detail
                .get("attested")
                .and_then(|value| value.as_str())
                == Some(&identity)
    });
    assert!(told, "an event says what it has proved to be");
}

#[test]
fn a_lost_reply_is_given_again_also_after_another_challenge() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let client = rig.stranger();
    let challenge = pump.ask(&client).unwrap();
    let first = client.enroll(&pump.answer(&challenge)).unwrap();
    let again = client.enroll(&pump.answer(&challenge)).unwrap();
    assert_eq!(first, again);
    let other = pump.ask(&client).unwrap();
    assert_ne!(other.challenge, challenge.challenge);
    assert_eq!(client.enroll(&pump.answer(&other)).unwrap(), first);
}

#[test]
fn a_tpm_of_a_make_that_was_not_imported_is_refused_until_it_is() {
    let rig = Rig::new();
    let (acme, other) = (Maker::new("Acme TPM Root"), Maker::new("Acme TPM Root"));
    rig.admin()
        .create_tenant(&NewTenant::named("other"))
        .unwrap();
    group(&rig, "pumps");
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, acme.tpm(), "pumps", "pump-1");
    let unknown = "attestation-unknown-manufacturer";
    assert_eq!(refusal(pump.enroll(&client)), unknown);
    // One of the same name, and one that another tenant believes.
    other.import(&rig, "default");
    acme.import(&rig, "other");
    assert_eq!(refusal(pump.enroll(&client)), unknown);
    // One without a certificate at all.
    let mut bare = TpmDevice::new(&rig, acme.tpm(), "pumps", "pump-2");
    bare.tpm.ek_certificates.clear();
    assert_eq!(refusal(bare.enroll(&client)), unknown);
    acme.import(&rig, "default");
    assert!(pump.enroll(&client).is_ok());
    // It is believed no longer.
    rig.admin().delete_manufacturer("default", "acme").unwrap();
    let mut late = TpmDevice::new(&rig, acme.tpm(), "pumps", "pump-3");
    assert_eq!(refusal(late.enroll(&client)), unknown);
}

#[test]
fn a_tpm_in_service_comes_in_no_second_time_and_a_challenge_neither() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&client).unwrap();
    assert!(client.enroll(&pump.answer(&challenge)).is_ok());
    // The same TPM with another key.
    pump.begin_anew(&rig);
    let taken = "attested-already-enrolled";
    assert_eq!(refusal(pump.enroll(&client)), taken);
    pump.device.name = Some("pump-2".to_owned());
    assert_eq!(refusal(pump.enroll(&client)), taken);
    // Once an operator lets it, it comes back; but not by what it has answered before.
    pump.device.name = Some("pump-1".to_owned());
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    let replayed = pump.answer(&challenge);
    assert_eq!(refusal(client.enroll(&replayed)), "challenge-used");
    assert!(pump.enroll(&client).is_ok());
}

#[test]
fn what_others_claimed_before_does_not_stand_in_its_way() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let secret = rig.group_with(&NewGroup {
        hardware_is_identity: true,
        enrollment: enlist_wire::Enrollment::Open,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Refuse,
        }),
        ..NewGroup::named("pumps")
    });
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    // Nobody claims to be a TPM.
    let mut thief = rig.device("pumps", "thief", &secret);
    let value = lower_hex(&pump.tpm.ek_key().digest());
    thief.hardware = Some(Hardware {
        kind: HardwareKind::TpmEk,
        value,
    });
    assert_eq!(refusal(thief.enroll(&rig)), "invalid-hardware-identity");
    // The serial number that both say they have.
    let serial = Hardware {
        kind: HardwareKind::Serial,
        value: "SN-7".to_owned(),
    };
    thief.hardware = Some(serial.clone());
    assert!(thief.enroll(&rig).is_ok());
    pump.device.hardware = Some(serial);
    assert!(pump.enroll(&rig.stranger()).is_ok());
}

#[test]
fn a_group_takes_the_proofs_that_it_names_and_a_secret_beside_them() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    let secret = rig.group("doors", enlist_wire::Enrollment::Open);
    let client = rig.stranger();
    let mut door = TpmDevice::new(&rig, maker.tpm(), "doors", "door-1");
    assert_eq!(refusal(door.enroll(&client)), "attestation-required");
    door.device.group = "nowhere".to_owned();
    assert_eq!(refusal(door.enroll(&client)), "attestation-required");
    door.device.group = "doors".to_owned();
    // With the secret, the proof is one more thing that is known of it.
    let challenge = door.ask(&client).unwrap();
    let mut request = door.answer(&challenge);
    request.secret = Some(secret.into());
    assert!(client.enroll(&request).is_ok());
    // Nothing at all.
    group(&rig, "pumps");
    let mut nothing = rig.device("pumps", "pump-1", "").request();
    nothing.secret = None;
    assert_eq!(refusal(client.enroll(&nothing)), "attestation-required");
}

#[test]
fn evidence_that_was_tampered_with_is_refused() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let client = rig.stranger();
    let pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&client).unwrap();
    let refused = "attestation-refused";

    let mut request = pump.answer(&challenge);
    *tpm_of(&mut request).certify_signature.0.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(client.enroll(&request)), refused);
    // A certification of another key.
    let outside = rig.device("pumps", "pump-1", "");
    let mut request = pump.answer(&challenge);
    request.csr = outside.request().csr;
    assert_eq!(refusal(client.enroll(&request)), refused);
    // Cut off.
    let mut request = pump.answer(&challenge);
    tpm_of(&mut request).certify_info.0.pop();
    assert_eq!(refusal(client.enroll(&request)), refused);
    // Neither of the two, and both.
    let mut request = pump.answer(&challenge);
    request.attestation.as_mut().unwrap().tpm = None;
    assert_eq!(refusal(client.enroll(&request)), "invalid-request");
    // None of this has used the challenge up.
    assert!(client.enroll(&pump.answer(&challenge)).is_ok());

    // An attestation key that signs anything.
    let mut loose = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-2");
    loose
        .tpm
        .set_ak_attributes(soft_tpm::AK & !soft_tpm::RESTRICTED);
    assert_eq!(refusal(loose.ask(&client)), refused);
    // The certificate of another TPM.
    let mut borrowed = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-3");
    borrowed.tpm.ek_certificates = maker.tpm().ek_certificates;
    assert_eq!(refusal(borrowed.ask(&client)), refused);
}

#[test]
fn evidence_beside_a_wrong_secret_is_not_looked_at_and_tells_nothing() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let other = rig.group("cellar", enlist_wire::Enrollment::Open);
    rig.group("doors", enlist_wire::Enrollment::Open);
    let client = rig.stranger();
    let wrong = |group: &str, tpm: SoftTpm, spoilt: bool| {
        let device = TpmDevice::new(&rig, tpm, group, "x-1");
        let mut request = device.answer(&device.ask(&client).unwrap());
        if spoilt {
            tpm_of(&mut request).certify_info.0.pop();
        }
        request.secret = Some(other.clone().into());
        refusal(client.enroll(&request))
    };
    for group in ["pumps", "doors", "nowhere"] {
        assert_eq!(wrong(group, maker.tpm(), false), "secret-wrong", "{group}");
        assert_eq!(wrong(group, maker.tpm(), true), "secret-wrong", "{group}");
        assert_eq!(
            wrong(group, SoftTpm::new(), false),
            "secret-wrong",
            "{group}"
        );
    }
    // Each was a guess.
    let last = (0..100)
        .map(|_| wrong("doors", SoftTpm::new(), false))
        .find(|slug| slug != "secret-wrong");
    assert_eq!(last.as_deref(), Some("guessing-slowed-down"));
}

#[test]
fn a_tpm_that_nobody_vouches_for_is_slowed_down() {
    let rig = Rig::new();
    group(&rig, "pumps");
    let client = rig.stranger();
    let pump = TpmDevice::new(&rig, SoftTpm::new(), "pumps", "pump-1");
    let request = pump.answer(&pump.ask(&client).unwrap());
    let last = (0..10_000)
        .map(|_| refusal(client.enroll(&request)))
        .find(|slug| slug != "attestation-unknown-manufacturer");
    assert_eq!(last.as_deref(), Some("guessing-slowed-down"));
}
