//! What is peculiar to PKCS#11 tokens.

use std::os::unix::fs::PermissionsExt;

use crate::softhsm::SoftHsm;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::UserType;
use enlist_keys::KeyStoreError;
use enlist_pki::KeyKind;
use secrecy::SecretString;

use crate::bench::Bench;
use crate::promises::words;

#[test]
fn a_wrong_pin_is_tried_once_and_a_right_one_works_at_once() {
    SoftHsm::in_process(
        "pkcs11::a_wrong_pin_is_tried_once_and_a_right_one_works_at_once",
        |token| {
            let bench = Bench::new(&token.key_store());
            let reference = bench.store().make(KeyKind::P256).unwrap();
            token.set_pin("wrong");
            let first = bench.store().open(&reference).err().unwrap();
            assert!(
                first.to_string().contains("does not take the PIN"),
                "{first}"
            );
            for _ in 0..20 {
                let next = bench.store().open(&reference).err().unwrap();
                assert!(next.to_string().contains("is not asked again"), "{next}");
                assert!(!words(&next).contains("wrong"));
                assert!(!next.is_transient());
            }
            token.set_pin(token.pin());
            bench.store().open(&reference).unwrap();
        },
    );
}

#[test]
fn a_pin_that_is_missing_or_open_to_others_is_named() {
    SoftHsm::in_process(
        "pkcs11::a_pin_that_is_missing_or_open_to_others_is_named",
        |token| {
            let bench = Bench::new(&token.key_store());
            let open = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(token.pin_file(), open).unwrap();
            let error = bench.store().make(KeyKind::P256).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
            std::fs::remove_file(token.pin_file()).unwrap();
            let error = bench.store().make(KeyKind::P256).unwrap_err();
            assert!(matches!(error, KeyStoreError::Pin { .. }), "{error}");
            token.set_pin("");
            let error = bench.store().make(KeyKind::P256).unwrap_err();
            assert!(error.to_string().contains("holds no PIN"), "{error}");
            let from = |source: &str| {
                let file = format!("file:{}", token.pin_file().display());
                let bench = Bench::new(&token.key_store().replace(&file, source));
                bench.store().make(KeyKind::P256)
            };
            let error = from("env:ENLIST_NO_SUCH_PIN").unwrap_err();
            assert!(
                error.to_string().contains("set ENLIST_NO_SUCH_PIN"),
                "{error}"
            );
            let error = from("credential:pin").unwrap_err();
            assert!(matches!(error, KeyStoreError::Pin { .. }), "{error}");
        },
    );
}

#[test]
fn a_token_that_was_away_works_when_it_is_back() {
    SoftHsm::in_process(
        "pkcs11::a_token_that_was_away_works_when_it_is_back",
        |token| {
            let bench = Bench::new(&token.key_store());
            let reference = bench.store().make(KeyKind::P256).unwrap();
            let key = bench.store().open(&reference).unwrap();
            token.unplug();
            let error = key.sign(b"").unwrap_err();
            assert!(words(&error).contains("plug"), "{}", words(&error));
            for _ in 0..3 {
                let error = bench.store().open(&reference).err().unwrap();
                assert!(error.is_transient(), "{}", words(&error));
            }
            token.plug_in();
            key.sign(b"").unwrap();
            bench.store().open(&reference).unwrap().sign(b"").unwrap();
        },
    );
}

#[test]
fn a_token_or_module_that_is_not_there_is_named() {
    SoftHsm::in_process(
        "pkcs11::a_token_or_module_that_is_not_there_is_named",
        |token| {
            let other = token.key_store().replace("token=device", "token=other");
            let error = Bench::new(&other).store().make(KeyKind::P256).unwrap_err();
            let said = words(&error);
            assert!(
                said.contains("`other`") && said.contains("`device`"),
                "{said}"
            );
            let serial = token
                .key_store()
                .replace("token=device", "token=device;serial=1");
            assert!(Bench::new(&serial).store().make(KeyKind::P256).is_err());
            let module = "pkcs11:token=device?module-path=/no/such/module.so";
            let error = Bench::new(module).store().make(KeyKind::P256).unwrap_err();
            assert!(
                words(&error).contains("/no/such/module.so"),
                "{}",
                words(&error)
            );
            let module = "pkcs11:token=device?module-path=/dev/null";
            Bench::new(module).store().make(KeyKind::P256).unwrap_err();
        },
    );
}

#[test]
fn the_key_cannot_be_taken_out_of_the_token() {
    SoftHsm::in_process(
        "pkcs11::the_key_cannot_be_taken_out_of_the_token",
        |token| {
            let bench = Bench::new(&token.key_store());
            bench.store().make(KeyKind::P256).unwrap();
            // Asked past the store, as somebody with the PIN would.
            let module = Pkcs11::new(SoftHsm::module()).unwrap();
            let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
            let slot = module.get_slots_with_initialized_token().unwrap()[0];
            let session = module.open_ro_session(slot).unwrap();
            let pin = SecretString::from(token.pin());
            session.login(UserType::User, Some(&pin)).unwrap();
            let private = [Attribute::Class(ObjectClass::PRIVATE_KEY)];
            let keys = session.find_objects(&private).unwrap();
            assert_eq!(keys.len(), 1);
            let asked = [
                AttributeType::Sensitive,
                AttributeType::Extractable,
                AttributeType::NeverExtractable,
                AttributeType::Local,
                AttributeType::Value,
            ];
            let found = session.get_attributes(keys[0], &asked).unwrap();
            assert_eq!(
                found,
                [
                    Attribute::Sensitive(true),
                    Attribute::Extractable(false),
                    Attribute::NeverExtractable(true),
                    Attribute::Local(true),
                ]
            );
        },
    );
}

#[test]
fn keys_under_another_label_are_not_swept() {
    SoftHsm::in_process("pkcs11::keys_under_another_label_are_not_swept", |token| {
        let mine = Bench::new(&token.key_store());
        let theirs = Bench::new(&token.key_store().replace('?', ";object=theirs?"));
        let kept = theirs.store().make(KeyKind::P256).unwrap();
        mine.store().make(KeyKind::P256).unwrap();
        assert_eq!(mine.store().sweep(&[]).unwrap(), 1);
        theirs.store().open(&kept).unwrap();
        assert!(mine.store().open(&kept).is_err());
    });
}
