//! Issuing CAs as an operator rolls them over, against a real server: under load, with the root offline,
//! and under a root of their own.

#![allow(clippy::unwrap_used)]

mod rig;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use enlist_core::{Clock, DeviceToken, Rng, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_pki::path::verify_up_to_root;
use enlist_pki::{Anchors, Certificate, KeyKind, csr};
use enlist_wire::{Binary, Client, EnrollReply, EnrollRequest, Enrolled, RenewRequest, Uuid};
use rig::Rig;

const DEVICES: usize = 200;
/// How often a device renews before another one comes in its place.
const RENEWALS: u64 = 3;

/// Whom the server is to be believed by.
fn client(rig: &Rig, root: &str, identity: Option<Identity>) -> Client {
    let trust = ServerTrust {
        anchors: Anchors::from_pem(root).unwrap(),
        service_anchors: Anchors::default(),
    };
    let tls = client_config(trust, identity, Arc::new(SystemClock)).unwrap();
    Client::new(&rig.url, Arc::new(tls), Duration::from_secs(60)).unwrap()
}

/// What all devices share.
struct Crowd<'a> {
    rig: &'a Rig,
    root: String,
    secret: String,
    stop: AtomicBool,
    answers: AtomicUsize,
}

impl Crowd<'_> {
    /// Enrolls devices one after the other and renews their certificates until it is told to stop.
    fn keep_busy(&self, number: usize) -> Vec<Enrolled> {
        let stranger = client(self.rig, &self.root, None);
        let mut all = Vec::new();
        for life in 0.. {
            let name = format!("device-{number}-{life}");
            let mut key = Arc::new(FileKey::generate(KeyKind::P256).unwrap());
            let request = EnrollRequest {
                tenant: "default".to_owned(),
                group: "crowd".to_owned(),
                secret: Some(self.secret.clone().into()),
                name: Some(name.clone()),
                hardware: None,
                attestation: None,
                csr: Binary(csr::build(&*key, "device").unwrap()),
                device_token: DeviceToken::generate(&SystemRng).expose().to_owned().into(),
                certificate_ttl_h: None,
            };
            let mut enrolled = match stranger.enroll(&request) {
                Ok(EnrollReply::Enrolled(enrolled)) => *enrolled,
                other => panic!("{name} was not let in: {other:?}"),
            };
            self.took(&enrolled);
            for counter in 1..=RENEWALS {
                all.push(enrolled.clone());
                if self.stop.load(Ordering::SeqCst) {
                    return all;
                }
                let leaf = Certificate::from_pem(&enrolled.certificate).unwrap();
                let identity = Identity {
                    chain: vec![leaf.to_rustls()],
                    key: key.clone(),
                };
                let new = Arc::new(FileKey::generate(KeyKind::P256).unwrap());
                let mut id = [0; 16];
                SystemRng.fill(&mut id);
                let renewal = RenewRequest {
                    device_id: enrolled.device_id,
                    csr: Binary(csr::build(&*new, "device").unwrap()),
                    counter,
                    request_id: Uuid::from_bytes(id),
                    certificate_ttl_h: None,
                    proof: None,
                };
                let own = client(self.rig, &self.root, Some(identity));
                enrolled = own
                    .renew(&renewal)
                    .unwrap_or_else(|error| panic!("{name} was not renewed: {error:?}"));
                self.took(&enrolled);
                key = new;
            }
            all.push(enrolled);
        }
        all
    }

    /// What a device does with an answer: it takes what verifies up to the root that it believes.
    fn took(&self, enrolled: &Enrolled) {
        let read = |pem: &str| Certificate::from_pem(pem).unwrap();
        assert_eq!(enrolled.root, self.root);
        let (leaf, issuing) = (read(&enrolled.certificate), read(&enrolled.issuing_ca));
        let path = [&leaf, &issuing, &read(&self.root)];
        verify_up_to_root(&path, SystemClock.now().as_secs()).unwrap();
        self.answers.fetch_add(1, Ordering::SeqCst);
    }

    /// Until so many more answers were given.
    fn await_answers(&self, more: usize) {
        let (begun, from) = (Instant::now(), self.answers.load(Ordering::SeqCst));
        while self.answers.load(Ordering::SeqCst) < from + more {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "the crowd is stuck"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What consumers trust at this moment.
fn anchors(rig: &Rig, file: &str) -> usize {
    let pem = rig.ok("enlist get anchor");
    rig.write(file, &pem);
    pem.matches("BEGIN CERTIFICATE").count()
}

#[test]
fn the_ca_is_rolled_over_while_200_devices_enroll_and_renew() {
    let rig = Rig::new();
    let secret = rig.ok("enlist add group crowd --enrollment open");
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    rig.write("root.pem", &root);
    let crowd = Crowd {
        rig: &rig,
        root,
        secret: secret.trim().to_owned(),
        stop: AtomicBool::new(false),
        answers: AtomicUsize::new(0),
    };
    assert_eq!(anchors(&rig, "anchors-before.pem"), 1);
    let first = rig.json("enlist get cas -o json")[0]["fingerprint"].clone();

    let all: Vec<Enrolled> = thread::scope(|scope| {
        let crowd = &crowd;
        let devices: Vec<_> = (0..DEVICES)
            .map(|number| scope.spawn(move || crowd.keep_busy(number)))
            .collect();
        crowd.await_answers(DEVICES);
        rig.refused("enlist retire ca", 1, "no-next-ca");
        for _ in 0..2 {
            rig.ok("enlist add ca");
            rig.refused("enlist retire ca", 1, "ca-overlap");
            crowd.await_answers(DEVICES / 2);
            rig.ok("enlist retire ca --force");
            crowd.await_answers(DEVICES);
            rig.ok("enlist renew ca");
            crowd.await_answers(DEVICES / 4);
        }
        assert_eq!(anchors(&rig, "anchors-after.pem"), 3);
        crowd.await_answers(DEVICES / 2);
        crowd.stop.store(true, Ordering::SeqCst);
        let each = devices.into_iter().flat_map(|one| one.join().unwrap());
        each.collect()
    });

    let cas = rig.json("enlist get cas -o json");
    let cas = cas.as_array().unwrap();
    let standings: Vec<_> = cas
        .iter()
        .map(|ca| ca["standing"].as_str().unwrap())
        .collect();
    assert_eq!(standings, ["current", "retired", "retired"]);
    assert_eq!(cas[2]["fingerprint"], first);
    let on_record: u64 = cas.iter().map(|ca| ca["unexpired"].as_u64().unwrap()).sum();
    assert_eq!(
        on_record,
        all.len() as u64,
        "what was given out, and nothing else"
    );
    for ca in cas {
        assert!(ca["unexpired"].as_u64().unwrap() > 0, "{ca}");
    }
    verifies(&rig, &all);
}

/// Every certificate, in the eyes of OpenSSL: with the CA that came with it under the root, and by itself
/// under what consumers anchor at.
fn verifies(rig: &Rig, all: &[Enrolled]) {
    let mut script = String::from("set -e\n");
    let mut cas: Vec<&str> = all.iter().map(|one| one.issuing_ca.as_str()).collect();
    cas.sort_unstable();
    cas.dedup();
    for (number, ca) in cas.iter().enumerate() {
        rig.write(&format!("ca-{number}.pem"), ca);
        let mut leaves = String::new();
        for (at, one) in all
            .iter()
            .enumerate()
            .filter(|(_, one)| one.issuing_ca == **ca)
        {
            rig.write(&format!("leaf-{at}.pem"), &one.certificate);
            write!(leaves, "leaf-{at}.pem ").unwrap();
        }
        let openssl = format!("echo {leaves} | xargs -n 200 openssl verify -purpose sslclient");
        writeln!(
            script,
            "{openssl} -CAfile root.pem -untrusted ca-{number}.pem"
        )
        .unwrap();
        writeln!(script, "{openssl} -CAfile anchors-after.pem").unwrap();
    }
    rig.write("verify.sh", &script);
    let said = rig.ok("sh verify.sh 2>&1");
    assert_eq!(said.matches(": OK").count(), 2 * all.len(), "{said}");
}

#[test]
fn the_root_is_taken_offline_and_signs_where_it_is_kept() {
    let rig = Rig::new();
    if rig.json("enlist get cas -o json")[0]["key"] != "database" {
        rig.write("passphrase", "correct horse battery staple\n");
        rig.ok("chmod 600 passphrase");
        let export = "enlist export root --out key.pem --passphrase-file passphrase";
        rig.refused(export, 1, "root-in-token");
        return;
    }
    rig.write("passphrase", "correct horse battery staple\n");
    rig.write("short", "short\n");
    rig.write("other", "another passphrase, wrong\n");
    let export = "enlist export root --passphrase-file";
    let open = format!("{export} passphrase --out key.pem");
    rig.ok("chmod 600 short other && chmod 640 passphrase");
    let told = rig.refused(&open, 1, "file-exposed");
    assert!(told.contains("chmod 600 passphrase"), "{told}");
    // As systemd brings it: with an access list, its group may read it by its mode.
    rig.ok("CREDENTIALS_DIRECTORY=$PWD enlist export root --passphrase-file $PWD/passphrase --out early.pem");
    rig.ok("chmod 600 passphrase");
    rig.refused(
        &format!("{export} short --out key.pem"),
        1,
        "invalid-request",
    );
    rig.ok(&format!("{export} passphrase --out key.pem"));
    assert_eq!(rig::mode(&rig.work().join("key.pem")), 0o600);
    assert!(!rig.read("key.pem").contains("BEGIN PRIVATE KEY"));
    rig.refused(
        &format!("{export} passphrase --out key.pem"),
        1,
        "file-exists",
    );
    // Anybody's OpenSSL opens it.
    rig.ok("openssl pkey -in key.pem -passin file:passphrase -noout");

    // A copy that does not open, or is cut short, takes nothing offline.
    let offline =
        |file: &str, passphrase: &str| format!("{export} {passphrase} --out {file} --take-offline");
    rig.refused(&offline("key.pem", "other"), 1, "root-key-unreadable");
    let text = rig.read("key.pem");
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    rig.write("cut.pem", &(key[..key.len() / 2].to_owned() + certificate));
    rig.refused(&offline("cut.pem", "passphrase"), 1, "root-key-unreadable");
    rig.ok("enlist add tenant early");
    rig.ok(&offline("key.pem", "passphrase"));
    rig.refused(&offline("key.pem", "passphrase"), 1, "root-offline");
    rig.refused("enlist add root", 1, "root-offline");

    let request = rig.ok("enlist add tenant acme");
    rig.write("request.pem", &request);
    assert_eq!(rig.ok("enlist -t acme get ca-request"), request);
    let secret = rig.ok("enlist -t acme add group pumps --enrollment open");
    let provision = |name: &str| {
        format!(
            "enlist -t acme provision {name} -g pumps -s {}",
            secret.trim()
        )
    };
    rig.refused(&provision("pump-1"), 1, "awaiting-ca");
    let sign = "enlist sign ca request.pem --root-key key.pem --passphrase-file";
    rig.refused(
        &format!("{sign} other --out ca.pem"),
        1,
        "root-key-unreadable",
    );
    rig.ok(&format!("{sign} passphrase --out ca.pem"));
    let written = rig.read("ca.pem");
    let again = format!("{sign} passphrase --out ca.pem");
    rig.refused(&again, 1, "file-exists");
    assert_eq!(rig.read("ca.pem"), written);
    let waiting = rig.sh("enlist -t acme get cas");
    let hint = "Tenant `acme` awaits its issuing CA: see `enlist -t acme get ca-request`";
    assert!(waiting.err.contains(hint), "{waiting:?}");
    assert_eq!(rig.sh("enlist -t acme get cas -o json").err, "");
    rig.refused("enlist import ca ca.pem", 1, "no-ca-request");
    rig.ok("enlist -t acme import ca ca.pem");
    rig.ok(&provision("pump-1"));
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    rig.write("root.pem", &root);
    rig.ok("openssl verify -CAfile root.pem -untrusted ca.pem pump-1_crt.pem");
    let shown = rig.ok("enlist -t acme get cas");
    assert!(
        shown.contains("current") && shown.contains("our root"),
        "{shown}"
    );

    // Its successor: asked here, signed there.
    let next = rig.ok("enlist -t acme add ca");
    rig.write("request.pem", &next);
    let signed = rig.ok(&format!("{sign} passphrase"));
    rig.write("next.pem", &signed);
    rig.ok("openssl x509 -in next.pem -outform DER -out next.der");
    rig.ok("enlist -t acme import ca next.der");
    rig.ok("enlist -t acme retire ca --force");
    rig.ok(&provision("pump-2"));
    rig.ok("openssl verify -CAfile root.pem -untrusted next.pem pump-2_crt.pem");
    rig.ok("enlist -t acme get anchor > anchors.pem");
    rig.ok("openssl verify -CAfile anchors.pem pump-1_crt.pem pump-2_crt.pem");
}

#[test]
fn a_root_made_with_openssl_signs_for_a_tenant() {
    let rig = Rig::new();
    rig.ok("enlist add tenant acme --request-ca > request.pem");
    rig.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -days 3650 \\
             -subj '/O=Acme/CN=Acme Root' -keyout root.key -out root.pem \\
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
    );
    let sign = |extensions: &str, out: &str| {
        rig.write("ext.cnf", extensions);
        rig.ok(&format!(
            "openssl x509 -req -in request.pem -CA root.pem -CAkey root.key -days 1825 \\
                 -CAcreateserial -extfile ext.cnf -out {out}"
        ));
    };
    sign("basicConstraints=critical,CA:TRUE\n", "loose.pem");
    rig.refused(
        "enlist -t acme import ca loose.pem --chain root.pem",
        1,
        "ca-refused",
    );
    sign(
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
        "issuing.pem",
    );
    rig.refused("enlist -t acme import ca issuing.pem", 1, "ca-refused");
    rig.refused("enlist -t acme import ca root.pem", 1, "ca-refused");
    rig.ok("openssl crl2pkcs7 -nocrl -certfile issuing.pem -certfile root.pem -out all.p7b");
    rig.ok("enlist -t acme import ca all.p7b");
    let shown = rig.ok("enlist -t acme get cas");
    assert!(shown.contains("outside root"), "{shown}");

    let secret = rig.ok("enlist -t acme add group pumps --enrollment open");
    let secret = secret.trim();
    rig.ok(&format!(
        "enlist -t acme provision pump-1 -g pumps -s {secret}"
    ));
    rig.ok("openssl verify -CAfile root.pem -untrusted pump-1_crt.pem pump-1_crt.pem");
    rig.ok("openssl verify -CAfile pump-1_ca.pem pump-1_crt.pem");
    rig.ok("enlist -t acme get anchor > anchor.pem");
    rig.ok("openssl verify -CAfile anchor.pem pump-1_crt.pem");

    // The agent takes it, too, and puts the chain where brokers on the device read it.
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    let configuration = serde_json::json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": [root],
        "tenant": "acme",
        "group": "pumps",
        "name": "pump-2",
        "hardware_id": "pump-2",
        "persistent_directory": rig.work().join("pump-2.state"),
        "device_enrollment_token": secret,
    });
    rig.write("pump-2.json", &configuration.to_string());
    rig.ok("enlist-agent provision -c pump-2.json");
    rig.ok("enlist-agent renew -c pump-2.json");
    let current = "pump-2.state/current";
    rig.ok(&format!(
        "openssl verify -CAfile root.pem -untrusted {current}/certificate.pem {current}/certificate.pem"
    ));
    rig.ok(&format!(
        "openssl verify -CAfile {current}/ca.pem {current}/certificate.pem"
    ));
}
