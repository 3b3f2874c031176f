//! Whom to believe, as an administrator says it.

use enlist_testkit::refusal;
use enlist_wire::{ImportManufacturer, NewToken, Role};

use super::factory::Factory;

fn import(name: &str, certificates: String) -> ImportManufacturer {
    ImportManufacturer {
        name: name.to_owned(),
        certificates,
    }
}

#[test]
fn an_import_says_what_it_found_and_may_be_repeated_and_replaced() {
    let factory = Factory::new();
    let admin = factory.hall.rig.admin();
    let found = factory.import("acme", "acme.crt plant.crt plant.crt");
    let told: Vec<_> = found
        .cas
        .iter()
        .map(|ca| (ca.subject.as_str(), ca.is_anchor, ca.not_after.to_string()))
        .collect();
    let forever = "9999-12-31T23:59:59Z".to_owned();
    assert_eq!(
        told,
        [
            ("CN=acme root,O=acme", true, forever.clone()),
            ("CN=plant,O=acme", false, forever)
        ]
    );
    let print = factory.sh("openssl x509 -in acme.crt -noout -fingerprint -sha256 | sed 's/.*=//' | tr -d ':\n' | tr A-F a-f");
    assert_eq!(found.cas[0].fingerprint, print);
    let events = || {
        let page = admin.events("default", &Default::default()).unwrap();
        let imports = page
            .items
            .iter()
            .filter(|one| one.kind == "manufacturer-imported");
        imports.count()
    };
    let before = events();
    assert_eq!(factory.import("acme", "acme.crt plant.crt"), found);
    assert_eq!(events(), before, "nothing has changed");
    let listed = admin.manufacturers("default").unwrap().items;
    assert_eq!((listed[0].name.as_str(), listed[0].cas), ("acme", 2));
    assert_eq!(admin.manufacturer("default", "acme").unwrap(), found);
    admin.delete_manufacturer("default", "acme").unwrap();
    assert_eq!(
        refusal(admin.delete_manufacturer("default", "acme")),
        "manufacturer-not-found"
    );
    assert_eq!(
        refusal(admin.manufacturer("default", "No Name")),
        "manufacturer-not-found"
    );
}

#[test]
fn what_is_not_a_manufacturers_cas_is_refused_in_words() {
    let factory = Factory::new();
    let (hall, admin) = (&factory.hall, factory.hall.rig.admin());
    factory.sh("device d SN-1 plant; cat acme.crt d.crt > leaf; sed 's/MII/AAA/' acme.crt > torn
        certify weak /CN=weak weak \"$CA\\nnameConstraints=critical,permitted;DNS:example.org\"
        touch many; for i in $(seq 65); do certify m$i /CN=m$i acme \"$CA\"; cat m$i.crt >> many; done; cat acme.crt >> many");
    let own = hall.read("root.pem");
    for (certificates, words) in [
        (String::new(), ""),
        ("no certificate".to_owned(), ""),
        (hall.read("torn"), ""),
        (hall.read("plant.crt"), "no root"),
        (hall.read("leaf"), "not the certificate of a CA"),
        (hall.read("weak.crt"), "critical extension"),
        (hall.read("many"), "over 64"),
        ("x".repeat(300 * 1024), "over the limit"),
        (own, "of this installation"),
        (hall.read("acme.crt"), "as manufacturer `acme` already"),
    ] {
        let outcome = admin.import_manufacturer("default", &import("other", certificates));
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains(words), "{words}: {said}");
    }
    let listed = admin.manufacturers("default").unwrap().items;
    assert_eq!(listed.len(), 1, "nothing of it stays");
    let outcome = admin.import_manufacturer("default", &import("No Name", hall.read("plant.crt")));
    assert_eq!(refusal(outcome), "invalid-name");
}

#[test]
fn only_administrators_say_whom_to_believe() {
    let factory = Factory::new();
    let rig = &factory.hall.rig;
    for role in [Role::Viewer, Role::Operator] {
        let new = NewToken {
            label: "test".to_owned(),
            role,
            ..serde_json::from_str(r#"{"label":"test","role":"viewer"}"#).unwrap()
        };
        let created = rig.admin().create_token("default", &new).unwrap();
        let client = rig.client_with_token(created.token.expose());
        let acme = import("acme", factory.hall.read("acme.crt"));
        assert_eq!(
            refusal(client.import_manufacturer("default", &acme)),
            "forbidden"
        );
        assert_eq!(
            refusal(client.delete_manufacturer("default", "acme")),
            "forbidden"
        );
        client.manufacturer("default", "acme").unwrap();
    }
}
