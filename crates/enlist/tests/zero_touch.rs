//! Devices that bring no secret, and a server that asks what their hardware proves: the real programs, a
//! TPM (swtpm) as its manufacturer delivers it, and certificates that OpenSSL has made.

#![allow(clippy::unwrap_used)]

mod rig;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{DeviceToken, SystemClock, SystemRng, tpm_certify_data};
use enlist_keys::attestation::open_attestor;
use enlist_keys::{StoreSpec, TpmSpec, open_store, tls};
use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, KeyKind, csr};
use enlist_testkit::Swtpm;
use enlist_wire::{
    Attestation, Binary, ChallengeRequest, Client, EnrollRequest, TpmAttestation, TpmEndorsement,
};
use rig::{Ran, Rig};
use serde_json::{Value, json};

/// A server whose tenant knows the manufacturer of this TPM, and whose group `boards` takes TPMs.
fn server_for(tpm: &Swtpm) -> Rig {
    let rig = Rig::new();
    import(&rig, "maker", tpm);
    rig.ok("enlist add group boards --enrollment open --zero-touch tpm");
    rig
}

fn import(rig: &Rig, name: &str, tpm: &Swtpm) {
    rig.write("cas.pem", &tpm.manufacturer().concat());
    rig.ok(&format!("enlist import manufacturer {name} cas.pem"));
}

/// Writes the configuration of a device of this group as an operator does, for the TPM that these words
/// name.
fn device(rig: &Rig, name: &str, group: &str, key_store: &str) {
    rig.ok(&format!(
        "enlist gen-device-config --device-name {name} --enrollment-type zero-touch -g {group} \
         --persist {name}.state --config-path {name}.json --force"
    ));
    let text = rig.read(&format!("{name}.json"));
    assert!(!text.contains("eps_"), "there is no secret in it: {text}");
    let mut fields: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(fields["key_store"], "tpm");
    assert_eq!(fields["attestation"], "tpm");
    fields["key_store"] = key_store.into();
    fields["hardware_id"] = name.into();
    rig.write(&format!("{name}.json"), &fields.to_string());
}

fn provision(rig: &Rig, name: &str) -> Ran {
    rig.sh(&format!(
        "enlist-agent provision -c {name}.json --wait 20 -o json"
    ))
}

#[track_caller]
fn refused(rig: &Rig, name: &str, slug: &str) {
    let ran = provision(rig, name);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains(&format!("({slug})")), "{ran:?}");
    assert!(ran.err.contains("asking again at"), "{ran:?}");
}

#[track_caller]
fn enrolled(rig: &Rig, name: &str) -> Value {
    let ran = provision(rig, name);
    assert_eq!(ran.status, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

fn found(rig: &Rig, name: &str, check: &str) -> String {
    let ran = rig.sh(&format!("enlist-agent doctor -c {name}.json -o json"));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|one| one["check"] == check).unwrap();
    format!("{} {}", found["verdict"].as_str().unwrap(), found["found"])
}

#[test]
fn a_device_enrolls_by_its_tpm_alone_and_its_key_never_leaves_it() {
    let Some(mut tpm) = Swtpm::start_endorsed() else {
        return;
    };
    let rig = server_for(&tpm);
    device(&rig, "board", "boards", &tpm.key_store());
    let said = found(&rig, "board", "attestation");
    assert!(said.starts_with("ok \"tpm-ek:"), "{said}");
    assert!(said.contains("certified by CN=swtpm-localca"), "{said}");
    let said_of_itself = found(&rig, "board", "enrollment");
    assert!(said_of_itself.starts_with("ok "), "{said_of_itself}");

    let own = enrolled(&rig, "board");
    let name = own["name"].as_str().unwrap();
    assert!(name.starts_with("board-"), "{name}");
    let kept = rig.read("board.state/slots/1/key");
    assert!(kept.starts_with("tpm:0x8101"), "{kept}");
    let files = rig.ok("find board.state -type f | xargs grep -l 'PRIVATE KEY' || true");
    assert_eq!(files, "", "no key lies in a file");
    let key = format!("{name} -g boards -o json");
    let on_record = rig.json(&format!("enlist get device {key}"));
    assert_eq!(on_record["state"], "active");
    assert_eq!(on_record["attested"]["kind"], "tpm-ek", "{on_record}");
    let ek = on_record["attested"]["value"].as_str().unwrap();
    assert!(
        said.contains(ek),
        "what doctor says is what the server found"
    );

    // After a power cut of both it renews, and nothing of the proof is asked for again.
    tpm.bring_back();
    rig.ok("enlist-agent renew -c board.json");
    assert_eq!(tpm.transient(), 0);
    assert_eq!(
        tpm.persistent()
            .iter()
            .filter(|one| **one >= 0x8101_8000)
            .count(),
        1,
        "the old key is gone"
    );
}

#[test]
fn a_tpm_that_is_in_service_lets_no_second_device_in() {
    let Some(tpm) = Swtpm::start_endorsed() else {
        return;
    };
    let rig = server_for(&tpm);
    device(&rig, "board", "boards", &tpm.key_store());
    let own = enrolled(&rig, "board");
    // A copy with a range of its own, so that it does not take the first one's key for a leftover.
    let range = format!("{};handles=0x81019000-0x810190ff", tpm.key_store());
    device(&rig, "copy", "boards", &range);
    refused(&rig, "copy", "attested-already-enrolled");
    // Once the operator has taken the first one out of service, the board may come back.
    let name = own["name"].as_str().unwrap();
    rig.ok(&format!("enlist deprovision {name} -g boards"));
    enrolled(&rig, "copy");
}

#[test]
fn a_tpm_of_an_unknown_manufacturer_stays_out_until_it_is_imported() {
    let (Some(tpm), Some(foreign)) = (Swtpm::start_endorsed(), Swtpm::start_endorsed()) else {
        return;
    };
    let rig = server_for(&tpm);
    device(&rig, "board", "boards", &foreign.key_store());
    refused(&rig, "board", "attestation-unknown-manufacturer");
    import(&rig, "other", &foreign);
    enrolled(&rig, "board");
}

#[test]
fn a_tpm_without_certificates_gets_in_where_a_manifest_lists_its_key() {
    let Some(tpm) = Swtpm::start() else { return };
    let rig = Rig::new();
    rig.write("boards.json", r#"["serial:NONE-YET"]"#);
    rig.ok("enlist import manifest batch-7 boards.json");
    rig.ok(
        "enlist add group boards --enrollment open --zero-touch tpm --zero-touch-manifest batch-7",
    );
    device(&rig, "board", "boards", &tpm.key_store());
    refused(&rig, "board", "attestation-unknown-manufacturer");
    let said = found(&rig, "board", "attestation");
    assert!(said.starts_with("warning \"tpm-ek:"), "{said}");
    let (_, rest) = said.split_once('"').unwrap();
    let (ek, _) = rest.split_once(',').unwrap();
    rig.write("boards.json", &format!("[\"{ek}\"]"));
    rig.ok("enlist import manifest batch-7 boards.json");
    enrolled(&rig, "board");
}

#[test]
fn a_device_without_proof_is_told_that_it_needs_one() {
    let rig = Rig::new();
    rig.ok("enlist add group boards --enrollment open --zero-touch tpm");
    let fields = json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": fs::read_to_string(rig.data().join("root.pem")).unwrap(),
        "group": "boards",
        "name": "board",
        "persistent_directory": rig.work().join("board.state"),
    });
    rig.write("board.json", &fields.to_string());
    refused(&rig, "board", "attestation-required");
    // Where a person may say yes instead, it shows the code by which that person knows it.
    rig.ok("enlist set group boards --without-proof approve");
    let ran = rig.sh("enlist-agent provision -c board.json --wait 0");
    assert_eq!(ran.status, 4, "{ran:?}");
    assert!(ran.err.contains("waits for approval: code "), "{ran:?}");
    let status = rig.sh("enlist-agent status -c board.json -o json");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["state"], "pending");
    let code = status["code"].as_str().unwrap();
    assert!(ran.err.contains(code), "{ran:?}");
}

/// What a device does by hand, so that it can be done wrongly.
struct ByHand {
    client: Client,
    spec: TpmSpec,
    directory: tempfile::TempDir,
}

impl ByHand {
    fn new(rig: &Rig, tpm: &Swtpm) -> Self {
        let root = fs::read_to_string(rig.data().join("root.pem")).unwrap();
        let trust = ServerTrust {
            anchors: Anchors::from_pem(&root).unwrap(),
            service_anchors: Anchors::default(),
        };
        let config = tls::client_config(trust, None, Arc::new(SystemClock)).unwrap();
        let StoreSpec::Tpm(spec) = StoreSpec::parse(&tpm.key_store()).unwrap() else {
            panic!("no TPM");
        };
        Self {
            client: Client::new(&rig.url, Arc::new(config), Duration::from_secs(30)).unwrap(),
            spec,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A whole request of the device `name`, with everything in it that it takes.
    fn request(&self, name: &str) -> EnrollRequest {
        let attestor = open_attestor(&self.spec).unwrap();
        let spec = StoreSpec::Tpm(self.spec.clone());
        let mut store = open_store(&spec, self.directory.path(), Arc::new(SystemRng)).unwrap();
        let reference = store.make(KeyKind::P256).unwrap();
        let key = store.open(&reference).unwrap();
        let said = attestor.endorsement().unwrap();
        let tpm = TpmEndorsement {
            ek_public: Binary(said.ek_public),
            ek_certificates: said.ek_certificates.into_iter().map(Binary).collect(),
            ak_public: Binary(said.ak_public),
        };
        let asked = ChallengeRequest {
            tenant: "default".into(),
            group: "boards".into(),
            tpm: tpm.clone(),
        };
        let reply = self.client.challenge(&asked).unwrap();
        let activated = attestor
            .activate(&reply.credential_blob.0, &reply.encrypted_secret.0)
            .unwrap();
        let csr = csr::build(&*key, name).unwrap();
        let data = tpm_certify_data(&reply.challenge.0, &csr);
        let certified = attestor.certify(&reference, data.as_bytes()).unwrap();
        EnrollRequest {
            tenant: "default".into(),
            group: "boards".into(),
            secret: None,
            name: Some(name.into()),
            hardware: None,
            attestation: Some(Attestation {
                tpm: Some(TpmAttestation {
                    ek_public: tpm.ek_public,
                    ek_certificates: tpm.ek_certificates,
                    ak_public: tpm.ak_public,
                    challenge: reply.challenge,
                    activated: Binary(activated.to_vec()),
                    key_public: Binary(certified.key_public),
                    certify_info: Binary(certified.certify_info),
                    certify_signature: Binary(certified.signature),
                }),
                idevid: None,
            }),
            csr: Binary(csr),
            device_token: DeviceToken::generate(&SystemRng).expose().to_owned().into(),
            certificate_ttl_h: None,
        }
    }

    fn refused(&self, request: &EnrollRequest) -> String {
        let refused = self.client.enroll(request).unwrap_err();
        refused.problem().unwrap().slug().to_owned()
    }
}

/// The proof in a request.
fn proof(request: &mut EnrollRequest) -> &mut TpmAttestation {
    request.attestation.as_mut().unwrap().tpm.as_mut().unwrap()
}

#[test]
fn what_was_tampered_with_or_is_told_again_is_refused() {
    let Some(tpm) = Swtpm::start_endorsed() else {
        return;
    };
    let rig = server_for(&tpm);
    let device = ByHand::new(&rig, &tpm);
    let good = device.request("board");
    let slug_of = |change: &dyn Fn(&mut TpmAttestation)| {
        let mut request = good.clone();
        change(proof(&mut request));
        device.refused(&request)
    };
    for (slug, change) in [
        (
            "attestation-refused",
            &(|one: &mut TpmAttestation| *one.certify_info.0.last_mut().unwrap() ^= 1)
                as &dyn Fn(&mut TpmAttestation),
        ),
        ("attestation-refused", &|one| {
            *one.certify_signature.0.last_mut().unwrap() ^= 1;
        }),
        ("attestation-refused", &|one| {
            one.certify_info.0.pop();
        }),
        ("attestation-refused", &|one| {
            *one.key_public.0.last_mut().unwrap() ^= 1;
        }),
        ("challenge-invalid", &|one| one.challenge.0[40] ^= 1),
    ] {
        assert_eq!(slug_of(change), slug);
    }
    // Somebody who can't open the challenge.
    let guessed = slug_of(&|one| one.activated.0[0] ^= 1);
    assert!(
        ["challenge-invalid", "attestation-refused"].contains(&guessed.as_str()),
        "{guessed}"
    );
    // The statement is about one request.
    let other = device.request("board");
    let mut mixed = good.clone();
    mixed.csr = other.csr;
    assert_eq!(device.refused(&mixed), "attestation-refused");

    device.client.enroll(&good).unwrap();
    rig.ok("enlist deprovision board -g boards");
    let mut again = good.clone();
    again.device_token = DeviceToken::generate(&SystemRng).expose().to_owned().into();
    assert_eq!(device.refused(&again), "challenge-used");
}

#[test]
fn a_device_enrolls_by_its_manufacturers_certificate() {
    let rig = Rig::new();
    rig.write("extensions", "keyUsage = digitalSignature\n");
    for maker in ["maker", "other"] {
        rig.ok(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
               -subj /O={maker}/CN=Root -keyout {maker}.key -out {maker}.pem 2>>openssl.log
             openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
               -subj /O={maker}/serialNumber=PC0A1B2C -keyout {maker}-idevid.key \
               -out {maker}.csr 2>>openssl.log
             openssl x509 -req -in {maker}.csr -CA {maker}.pem -CAkey {maker}.key -days 36500 -extfile extensions \
               -out {maker}-idevid.pem 2>>openssl.log"
        ));
    }
    rig.ok("enlist import manufacturer maker maker.pem");
    rig.ok("enlist add group boards --enrollment open --zero-touch idevid");
    for maker in ["maker", "other"] {
        let work = rig.work().display().to_string();
        rig.ok(&format!(
            "enlist gen-device-config --device-name {maker} --enrollment-type zero-touch -g boards \
             --idevid-certificate {work}/{maker}-idevid.pem --idevid-key {work}/{maker}-idevid.key \
             --persist {maker}.state --config-path {maker}.json"
        ));
        let text = rig.read(&format!("{maker}.json"));
        let fields: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(fields["attestation"], "idevid");
        assert!(fields["key_store"].is_null(), "{text}");
    }
    let said = found(&rig, "maker", "attestation");
    assert!(said.starts_with("ok "), "{said}");
    let own = enrolled(&rig, "maker");
    let name = own["name"].as_str().unwrap();
    let on_record = rig.json(&format!("enlist get device {name} -g boards -o json"));
    assert_eq!(on_record["attested"]["kind"], "idevid", "{on_record}");
    let own_key = rig.ok("openssl x509 -in maker.state/current/certificate.pem -noout -pubkey");
    let idevid = rig.ok("openssl x509 -in maker-idevid.pem -noout -pubkey");
    assert_ne!(own_key, idevid, "its key is its own");
    refused(&rig, "other", "attestation-unknown-manufacturer");
    // Key and certificate have to go together.
    rig.ok("cp other-idevid.key maker-idevid.key");
    let said = found(&rig, "maker", "attestation");
    assert!(
        said.starts_with("failed ") && said.contains("not its key"),
        "{said}"
    );
}
