//! A challenge is for one TPM, one attestation key, one group and a short time.

use std::time::Duration;

use enlist_testkit::{Rig, refusal};
use enlist_wire::ClientError;

use crate::maker::{Maker, TpmDevice, group, now, tpm_of};

#[test]
fn a_challenge_is_good_for_its_tpm_and_its_group_for_a_while() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    group(&rig, "doors");
    let client = rig.stranger();
    let invalid = "challenge-invalid";
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&client).unwrap();
    let left = challenge.expires_at.as_millis() - now(&rig).as_millis();
    assert!((1..=300_000).contains(&left), "{left}");

    // Forged anywhere, cut anywhere, not answered, answered by another TPM.
    let bytes = challenge.challenge.0.len();
    for at in (0..bytes).step_by(4) {
        let mut forged = challenge.clone();
        forged.challenge.0[at] ^= 1;
        assert_eq!(refusal(client.enroll(&pump.answer(&forged))), invalid);
        let mut cut = challenge.clone();
        cut.challenge.0.truncate(at);
        assert_eq!(refusal(client.enroll(&pump.answer(&cut))), invalid);
    }
    let mut guessed = pump.answer(&challenge);
    tpm_of(&mut guessed).activated.0[0] ^= 1;
    assert_eq!(refusal(client.enroll(&guessed)), invalid);
    let other = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-2");
    assert_eq!(refusal(client.enroll(&other.answer(&challenge))), invalid);

    // For another group.
    pump.device.group = "doors".to_owned();
    assert_eq!(refusal(client.enroll(&pump.answer(&challenge))), invalid);
    pump.device.group = "pumps".to_owned();

    // With the endorsement key of one TPM and the attestation key of another.
    let mut mixed = pump.answer(&challenge);
    tpm_of(&mut mixed).ak_public = tpm_of(&mut other.answer(&challenge)).ak_public.clone();
    assert_eq!(refusal(client.enroll(&mixed)), invalid);

    rig.clock.advance(Duration::from_secs(300));
    assert_eq!(refusal(client.enroll(&pump.answer(&challenge))), invalid);
    assert!(pump.enroll(&client).is_ok());
}

#[test]
fn a_used_challenge_is_remembered_for_longer_than_it_could_be_used() {
    let rig = Rig::new();
    let maker = Maker::new("Acme TPM Root");
    maker.import(&rig, "default");
    group(&rig, "pumps");
    let client = rig.stranger();
    let mut pump = TpmDevice::new(&rig, maker.tpm(), "pumps", "pump-1");
    assert!(pump.enroll(&client).is_ok());
    let forgotten = || rig.block_on(rig.ops.forget_challenges()).unwrap();
    rig.clock.advance(Duration::from_secs(600));
    assert_eq!(forgotten(), 0);
    rig.clock.advance(Duration::from_secs(3600));
    assert_eq!(forgotten(), 1);
    assert_eq!(forgotten(), 0);
}

#[test]
fn who_asks_for_challenges_without_end_is_slowed_down() {
    let rig = Rig::new();
    group(&rig, "pumps");
    let client = rig.stranger();
    let pump = TpmDevice::new(&rig, Maker::new("Acme").tpm(), "pumps", "pump-1");
    let mut given = 0;
    let problem = loop {
        match pump.ask(&client) {
            Ok(_) => given += 1,
            Err(ClientError::Problem(problem)) => break problem,
            Err(other) => panic!("{other}"),
        }
        assert!(given < 1000, "nobody slows it down");
    };
    assert!(given >= 100, "a factory gets what it needs: {given}");
    assert_eq!(problem.slug(), "guessing-slowed-down");
    assert!(problem.retry_after_s.is_some());
    rig.clock.advance(Duration::from_secs(2));
    assert!(pump.ask(&client).is_ok());
}
