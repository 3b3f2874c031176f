//! A device that comes with its manufacturer's certificate, from the operator's side, as one types it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::Rig;

/// A manufacturer's root, a CA of its and a device's certificate that never ends.
const LINE: &str = r#"
key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
touch index.txt
printf '%s\n' '[ca]' 'default_ca=l' '[l]' 'database=index.txt' 'new_certs_dir=.' 'default_md=sha256' 'policy=p' \
  'rand_serial=yes' 'unique_subject=no' 'preserve=yes' '[p]' 'organizationName=optional' 'commonName=optional' \
  'serialNumber=optional' '[root]' 'basicConstraints=critical,CA:TRUE' '[leaf]' 'keyUsage=digitalSignature' > ca.cnf
certify() {
  key $1; self=; test $1 != $3 || self=-selfsign
  openssl req -new -key $1.key -subj "$2" -out $1.csr
  openssl ca -batch -notext -config ca.cnf $self -cert $3.crt -keyfile $3.key -in $1.csr -out $1.crt -extensions $4 \
    -startdate 20200101000000Z -enddate 99991231235959Z 2> log
}
"#;

#[test]
fn a_manufacturer_is_imported_its_device_enters_and_what_it_proved_is_shown() {
    let rig = Rig::new();
    rig.ok("cp ../data/root.pem root.pem");
    rig.ok(&format!(
        "{LINE}
         certify root /O=acme/CN=acme-root root root; certify plant /O=acme/CN=plant root root
         certify device /O=acme/serialNumber=SN-4711 plant leaf; cat device.crt plant.crt > device.pem
         key ldevid; openssl req -new -key ldevid.key -subj / -outform DER | base64 -w0 > request"
    ));
    let said = rig.ok("enlist import manufacturer acme root.crt plant.crt 2>&1");
    for words in [
        "CN=acme-root",
        "root O=acme",
        "9999-12-31T23:59:59Z",
        "CN=plant",
    ] {
        let reversed = words.replace("root O=acme", "root CN=acme-root");
        assert!(
            said.contains(words) || said.contains(&reversed),
            "{words}: {said}"
        );
    }
    let listed = rig.json("enlist get manufacturers -o json");
    assert_eq!(listed[0]["name"], "acme");
    let cas = rig.json("enlist get manufacturer acme -o json");
    let fingerprint = rig.ok(
        "openssl x509 -in root.crt -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f",
    );
    assert_eq!(cas[0]["fingerprint"], fingerprint.trim());
    rig.ok("enlist export manufacturer acme > exported; cat root.crt plant.crt | cmp - exported");

    rig.ok("enlist add group lamps --enrollment open --zero-touch idevid --no-secret");
    let ask = format!(
        "curl -sS --cacert root.pem --cert device.pem --key device.key -H 'Content-Type: application/pkcs10' \
           --data-binary @request -o answer -w '%{{http_code}}' {}/.well-known/est/lamps/simpleenroll",
        rig.url
    );
    assert_eq!(rig.ok(&ask).trim(), "200");
    rig.ok("base64 -d answer | openssl pkcs7 -inform DER -print_certs | openssl x509 -noout -pubkey > got
        openssl pkey -in ldevid.key -pubout | cmp - got");
    let devices = rig.json("enlist get devices -g lamps -o json");
    assert_eq!(devices[0]["attested"]["value"], "acme/SN-4711");
    let name = devices[0]["name"].as_str().unwrap();
    let shown = rig.ok(&format!("enlist get device {name} -g lamps"));
    assert!(shown.contains("idevid:acme/SN-4711"), "{shown}");

    rig.ok("enlist delete manufacturer acme");
    rig.ok(
        "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }; key other
        openssl req -new -key other.key -subj / -outform DER | base64 -w0 > request",
    );
    assert_eq!(rig.ok(&ask).trim(), "401");
    assert!(
        rig.ok("cat answer")
            .contains("attestation-unknown-manufacturer")
    );
    assert!(rig.ok("enlist get events").contains("manufacturer-deleted"));
}

#[test]
fn what_is_no_manufacturers_is_refused_in_words() {
    let rig = Rig::new();
    rig.ok(&format!(
        "{LINE}
         certify root /O=acme/CN=acme-root root root; certify device /O=acme/serialNumber=1 root leaf; echo x > junk"
    ));
    for (files, words) in [
        ("root.crt device.crt", "manufacturer-refused"),
        ("junk", "holds no readable certificate"),
        ("../data/root.pem", "a CA of this installation"),
        ("not-there", "not-there"),
    ] {
        let said = rig.ok(&format!(
            "! enlist import manufacturer acme {files} > out 2>&1; cat out"
        ));
        assert!(said.contains(words), "{files}: {said}");
    }
    assert_eq!(
        rig.json("enlist get manufacturers -o json"),
        serde_json::json!([])
    );
}

#[test]
fn with_a_manifest_only_what_is_on_it_enters_and_each_entry_lets_one_in() {
    let rig = Rig::new();
    rig.ok("cp ../data/root.pem root.pem");
    rig.ok(&format!(
        "{LINE}
         certify root /O=acme/CN=acme-root root root
         for n in 1 2; do certify d$n /O=acme/serialNumber=SN-$n root leaf; done
         for k in a b; do key $k; openssl req -new -key $k.key -subj / -outform DER | base64 -w0 > $k.req; done
         printf 'idevid\nacme/SN-1\n' > batch.csv"
    ));
    rig.ok("enlist import manufacturer acme root.crt; enlist import manifest batch batch.csv");
    rig.ok("enlist add group lamps --enrollment open --zero-touch idevid --zero-touch-manifest batch --no-secret");
    let ask = |device: &str, request: &str| {
        rig.ok(&format!(
            "curl -sS --cacert root.pem --cert {device}.crt --key {device}.key --data-binary @{request}.req \
               -H 'Content-Type: application/pkcs10' -o answer -w '%{{http_code}}' \
               {}/.well-known/est/lamps/simpleenroll",
            rig.url
        ))
    };
    assert_eq!(ask("d2", "b").trim(), "401");
    assert!(rig.ok("cat answer").contains("attestation-not-on-manifest"));
    assert_eq!(ask("d1", "a").trim(), "200");
    assert_eq!(ask("d1", "a").trim(), "200", "the same again");
    let devices = rig.json("enlist get devices -g lamps -o json");
    let name = devices[0]["name"].as_str().unwrap();
    rig.ok(&format!("enlist delete device {name} -g lamps"));
    assert_eq!(ask("d1", "b").trim(), "403");
    assert!(rig.ok("cat answer").contains("(tombstoned)"));
}
