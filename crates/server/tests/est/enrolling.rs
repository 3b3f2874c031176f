//! Getting in with a name and a provisioning secret.

use enlist_pki::Certificate;
use enlist_testkit::refusal;
use enlist_wire::{Enrollment, NewDevice, NewTenant};

use super::hall::Hall;

#[test]
fn a_stranger_enrolls_with_nothing_but_curl_and_openssl() {
    let hall = Hall::with_pumps();
    hall.sh(
        "key pump-1.key
         curl -sS --cacert root.pem -D head -o body $EST/pumps/cacerts
         certificates < body > ca.pem
         test $(csr pump-1.key /CN=whatever | est pumps/simpleenroll -u pump-1:$SECRET) = 200
         certificates < body > pump-1.crt
         test $(grep -c BEGIN pump-1.crt) = 1
         openssl verify -CAfile ca.pem pump-1.crt
         openssl verify -CAfile root.pem -untrusted ca.pem pump-1.crt
         openssl x509 -in pump-1.crt -noout -pubkey | cmp - <(openssl pkey -in pump-1.key -pubout)",
    );
    let leaf = Certificate::from_pem(&hall.read("pump-1.crt")).unwrap();
    assert_eq!(
        leaf.common_name().as_deref(),
        Some("pump-1"),
        "the server's word"
    );
    let head = hall.read("head").to_lowercase();
    assert!(head.contains("content-type: application/pkcs7-mime; smime-type=certs-only\r\n"));
    assert!(!head.contains("content-transfer-encoding"));
    assert_eq!(hall.read("body").lines().count(), 1, "in one line");
}

#[test]
fn cacerts_are_the_issuing_ca_and_the_root_of_the_labels_tenant() {
    let hall = Hall::new();
    let tenant = NewTenant::named("acme");
    hall.rig.admin().create_tenant(&tenant).unwrap();
    let subjects = |path: &str| {
        hall.sh(&format!(
            "curl -sSf --cacert root.pem -D head $EST/{path} | certificates > ca.pem
             openssl crl2pkcs7 -nocrl -certfile ca.pem | openssl pkcs7 -print_certs -noout | grep ^subject"
        ))
    };
    let own = subjects("cacerts");
    assert_eq!(own.lines().count(), 2, "{own}");
    assert_eq!(own, subjects("pumps/cacerts"));
    let head = hall.read("head").to_lowercase();
    assert!(
        head.contains("content-type: application/pkcs7-mime\r\n"),
        "{head}"
    );
    let acmes = subjects("acme.pumps/cacerts");
    assert!(acmes.contains("acme") && !own.contains("acme"), "{acmes}");
    let missing = hall.refusal(
        "curl -sS --cacert root.pem -o body -D head -w '%{http_code}' $EST/nobody.pumps/cacerts",
    );
    assert_eq!(missing, (404, "tenant-not-found".to_owned()));
}

#[test]
fn csrattrs_propose_a_key_and_no_names_in_the_old_form_and_the_new() {
    let hall = Hall::new();
    let seen = hall.sh(
        "curl -sSf --cacert root.pem -D head $EST/pumps/csrattrs | base64 -d | openssl asn1parse -inform DER",
    );
    assert_eq!(seen.matches("id-ecPublicKey").count(), 2, "{seen}");
    assert_eq!(seen.matches("prime256v1").count(), 2, "{seen}");
    assert!(seen.contains("1.2.840.113549.1.9.16.2.61"), "{seen}");
    assert!(!seen.contains("Error"), "{seen}");
    let head = hall.read("head").to_lowercase();
    assert!(
        head.contains("content-type: application/csrattrs\r\n"),
        "{head}"
    );
}

#[test]
fn the_same_key_asking_again_gets_the_same_certificate() {
    let hall = Hall::with_pumps();
    let twice = hall.sh("key k
         csr k /CN=pump-1 > one
         csr k /CN=other > other
         est pumps/simpleenroll -u pump-1:$SECRET < one; cp body first
         est pumps/simpleenroll -u pump-1:$SECRET < one; cmp body first
         est pumps/simpleenroll -u pump-1:$SECRET < other; cmp body first");
    assert_eq!(twice, "200200200");
    let secrets = hall.rig.admin().secrets("default", "pumps").unwrap();
    assert_eq!(secrets.items[0].used, 1, "not counted again");
    assert_eq!(hall.certificates_of("pump-1"), "current");
}

#[test]
fn another_key_for_a_name_takes_nothing_over() {
    let hall = Hall::with_pumps();
    hall.enroll("pump-1");
    let refused = hall.refusal("key k; csr k / | est pumps/simpleenroll -u pump-1:$SECRET");
    assert_eq!(refused, (409, "device-already-enrolled".to_owned()));
    let refused = hall.refusal("csr pump-1.key / | est pumps/simpleenroll -u pump-2:$SECRET");
    assert_eq!(refused, (409, "enrollment-conflict".to_owned()));
}

#[test]
fn the_two_doors_do_not_take_over_each_others_devices() {
    let hall = Hall::with_pumps();
    let secret = hall.read("secret");
    let device = hall.rig.enrolled_device("pumps", "agent-1", &secret);
    let key = device.key.to_pkcs8_pem().unwrap();
    std::fs::write(
        hall.path("agent.key"),
        secrecy::ExposeSecret::expose_secret(&key),
    )
    .unwrap();
    let refused = hall.refusal("csr agent.key / | est pumps/simpleenroll -u agent-1:$SECRET");
    assert_eq!(refused, (409, "enrollment-conflict".to_owned()));

    hall.enroll("pump-1");
    let mut agent = hall.rig.device("pumps", "pump-1", &secret);
    let key = enlist_keys::FileKey::from_pkcs8_pem(&hall.read("pump-1.key")).unwrap();
    agent.key = std::sync::Arc::new(key);
    assert_eq!(refusal(agent.enroll(&hall.rig)), "enrollment-conflict");
}

#[test]
fn who_sends_no_credentials_is_asked_for_them_and_let_in_then() {
    let hall = Hall::with_pumps();
    let (status, body) = hall.answer("key k; csr k / > csr; est pumps/simpleenroll < csr");
    assert_eq!(status, 401);
    assert!(body.contains("secret-missing"), "{body}");
    let head = hall.read("head").to_lowercase();
    assert!(head.contains("www-authenticate: basic realm="), "{head}");

    // curl asks without, sees the challenge, and asks again.
    let log = hall.sh("est pumps/simpleenroll --anyauth -u pump-1:$SECRET < csr; cat head");
    assert!(log.starts_with("200"), "{log}");
    assert!(log.contains(" 401"), "{log}");
}

#[test]
fn the_group_stands_in_the_path_in_the_user_name_or_in_neither() {
    let hall = Hall::with_pumps();
    hall.rig
        .admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    let ask = |path: &str, user: &str| {
        hall.answer(&format!(
            "key k; csr k / | est {path}simpleenroll -u {user}:$SECRET"
        ))
    };
    assert_eq!(ask("pumps/", "pump-1").0, 200);
    assert_eq!(ask("default.pumps/", "pump-2").0, 200);
    assert_eq!(ask("", "pumps/pump-3").0, 200);
    assert_eq!(ask("pumps/", "pumps/pump-4").0, 200);
    assert_eq!(ask("pumps/", "default.pumps/pump-5").0, 200);
    let (status, body) = ask("pumps/", "valves/pump-6");
    assert_eq!(status, 400, "{body}");
    // Without any it is the group `default`, whose secret this is not.
    assert_eq!(ask("", "pump-7").0, 401);
    assert_eq!(ask("acme.pumps/", "pump-8").0, 401);
    assert_eq!(ask("Pumps/", "pump-9").0, 404);
}

#[test]
fn the_groups_policy_holds_here_too() {
    let hall = Hall::new();
    hall.group("pumps", Enrollment::Known);
    let ask = "key k; csr k / | est pumps/simpleenroll -u pump-1:$SECRET";
    assert_eq!(hall.refusal(ask), (403, "unknown-device".to_owned()));
    let device = NewDevice {
        name: "pump-1".to_owned(),
        labels: Default::default(),
        hardware: None,
    };
    hall.rig
        .admin()
        .create_device("default", "pumps", &device)
        .unwrap();
    assert_eq!(hall.answer(ask).0, 200);
}

#[test]
fn libest_is_sent_lines_that_it_can_read() {
    let hall = Hall::with_pumps();
    hall.sh("curl -sSf --cacert root.pem -A 'Cisco EST client 1.0' -o body $EST/cacerts");
    let lines: Vec<_> = hall.read("body").lines().map(str::len).collect();
    assert!(
        lines.len() > 2 && lines.iter().all(|length| *length <= 76),
        "{lines:?}"
    );
    hall.sh("openssl base64 -d < body | openssl pkcs7 -inform DER -noout");
}
