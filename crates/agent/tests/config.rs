//! What a configuration may be, and how it is refused.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enlist_agent::Configuration;
use enlist_agent::config::{ConfigError, ConfigFile, HardwareSource, HookCommand};
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, CertificateSpec, DistinguishedName, Extension, KeyKind, Signer, SubjectName,
    sign_certificate,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const ID: &str = "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10";
const TOKEN: &str = "edt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, config: &Value) -> Result<Configuration, ConfigError> {
        let text = serde_json::to_string_pretty(config).unwrap();
        Configuration::load(&self.write("config.json", text))
    }

    /// The words of the refusal, with its causes.
    fn refusal(&self, config: &Value) -> String {
        words(&self.load(config).unwrap_err())
    }
}

fn words(error: &ConfigError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// A self-signed certificate that names the device, and its key.
fn certificate(device_id: &str) -> (String, String) {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let name = DistinguishedName::new(&[(Attribute::CommonName, "press-1")]).unwrap();
    let names = [SubjectName::Uri(format!("urn:uuid:{device_id}"))];
    let spec = CertificateSpec {
        serial: &[7],
        issuer: &name,
        subject: &name,
        public_key: key.public_key(),
        not_before: 1_700_000_000,
        not_after: 1_900_000_000,
        extensions: &[
            &Extension::certificate_authority(None).unwrap(),
            &Extension::subject_names(&names).unwrap(),
        ],
    };
    let pem = sign_certificate(&spec, &key).unwrap().to_pem();
    (pem, key.to_pkcs8_pem().unwrap().expose_secret().to_owned())
}

fn config() -> Value {
    json!({
        "schema_version": 1,
        "server_url": "https://enlist.example.com:8443",
        "trust_anchors_pem": [certificate(ID).0],
        "persistent_directory": "/var/lib/enlist",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut config = config();
    config[field] = value;
    config
}

#[test]
fn four_fields_are_enough() {
    let configuration = Home::new().load(&config()).unwrap();
    assert_eq!(configuration.tenant.as_str(), "default");
    assert_eq!(configuration.group.as_str(), "default");
    assert_eq!(configuration.polling_interval, Duration::from_secs(3600));
    assert_eq!(configuration.network_timeout, Duration::from_secs(30));
    assert!(!configuration.single_check);
    assert!(configuration.quadruple.is_none());
}

#[test]
fn every_field_of_the_design_is_taken() {
    let mut config = config();
    let (pem, key) = certificate(ID);
    let signing_key = FileKey::generate(KeyKind::P256)
        .unwrap()
        .public_key()
        .to_pem();
    let more = json!({
        "service_anchors_pem": [pem],
        "tenant": "acme",
        "group": "presses",
        "name": "press-1",
        "name_prefix": "press",
        "hardware_id": {"source": "mac"},
        "public_keys": [signing_key],
        "command_keys": signing_key,
        "device_enrollment_token": "eps_aaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "device_id": ID,
        "device_token": TOKEN,
        "device_certificate_pem": pem,
        "device_private_key_pem": key,
        "certificate_ttl_h": 24,
        "cert_refresh_threshold_h": 8,
        "polling_interval_s": 60,
        "network_timeout_s": 5,
        "single_check": true,
        "key_store": "file",
        "hooks": {"after_renew": ["systemctl reload mosquitto", ["/bin/echo", "a b"]]},
        "wipe_paths": ["/etc/mosquitto/certs"],
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let configuration = Home::new().load(&config).unwrap();
    assert_eq!(configuration.group.as_str(), "presses");
    assert!(matches!(
        configuration.hardware,
        Some(HardwareSource::Source(_))
    ));
    assert_eq!(configuration.certificate_ttl_h, Some(24));
    assert_eq!(
        configuration.cert_refresh_threshold,
        Some(Duration::from_secs(8 * 3600))
    );
    assert_eq!(
        configuration.after_renew,
        [
            HookCommand::Line("systemctl reload mosquitto".into()),
            HookCommand::Program(vec!["/bin/echo".into(), "a b".into()]),
        ]
    );
    let quadruple = configuration.quadruple.unwrap();
    assert_eq!(quadruple.device_id.to_string(), ID);
    assert!(!format!("{:?}", configuration.enrollment_token).contains("AAAA"));
}

#[test]
fn an_unknown_field_is_refused_with_its_name_and_line() {
    let home = Home::new();
    let text = "{\n  \"schema_version\": 1,\n  \"sever_url\": \"https://a.test\"\n}";
    let error = Configuration::load(&home.write("c.json", text)).unwrap_err();
    let words = words(&error);
    assert!(
        words.contains("sever_url") && words.contains("line 3"),
        "{words}"
    );

    let text = "{\n\"schema_version\": 1,\n\"hooks\": {\n\"after_renw\": []}\n}";
    let words = self::words(&Configuration::load(&home.write("c.json", text)).unwrap_err());
    assert!(
        words.contains("`hooks") && words.contains("line 4"),
        "{words}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_field() {
    let home = Home::new();
    for (field, value) in [
        ("certificate_ttl_h", json!("24")),
        ("certificate_ttl_h", json!(-1)),
        ("polling_interval_s", json!(1.5)),
        ("single_check", json!("yes")),
        ("hardware_id", json!({"source": "nose"})),
        ("hardware_id", json!({"file": "/a", "source": "mac"})),
        ("trust_anchors_pem", json!([1])),
        ("hooks", json!("reload")),
        ("server_url", json!(null)),
    ] {
        let words = home.refusal(&with(field, value.clone()));
        assert!(
            words.contains(&format!("`{field}")),
            "{field} {value}: {words}"
        );
    }
    let list = home.write("c.json", " [1, \"https://a.test\"]");
    assert!(words(&Configuration::load(&list).unwrap_err()).contains("not a list"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_field_and_a_way_out() {
    let home = Home::new();
    for (field, value, hint) in [
        ("server_url", json!("http://a.test"), "https://"),
        ("name", json!("Press 1"), "press-1"),
        ("name_prefix", json!("a".repeat(51)), "50"),
        ("tenant", json!(""), "lowercase"),
        ("trust_anchors_pem", json!("no PEM"), "BEGIN CERTIFICATE"),
        ("service_anchors_pem", json!([""]), "BEGIN CERTIFICATE"),
        (
            "device_enrollment_token",
            json!("eps_short"),
            "copied whole",
        ),
        ("certificate_ttl_h", json!(0), "one hour"),
        ("cert_refresh_threshold_h", json!(0), "one hour"),
        ("polling_interval_s", json!(0), "one second"),
        ("network_timeout_s", json!(0), "one second"),
        (
            "key_store",
            json!("vault"),
            "write `file`, `tpm` or `pkcs11",
        ),
        ("key_store", json!("pkcs11:"), "module-path"),
        ("key_kind", json!("RSA"), "P-384"),
        ("export_directory", json!("run/credentials"), "absolute"),
        ("export_directory", json!("/var/lib/enlist/export"), "own"),
        ("export_group", json!(" "), "group"),
        ("public_keys", json!(["PUBLIC KEY"]), "PEM"),
        ("command_keys", json!("PUBLIC KEY"), "PEM"),
        ("wipe_paths", json!(["relative"]), "absolute"),
        ("wipe_paths", json!(vec!["/data/app"; 901]), "at most 900"),
        ("identity_path", json!("relative.json"), "absolute"),
    ] {
        let words = home.refusal(&with(field, value.clone()));
        assert!(
            words.contains(&format!("`{field}`")),
            "{field} {value}: {words}"
        );
        assert!(words.contains(hint), "{field} {value}: {words}");
    }
}

#[test]
fn what_must_be_there_is_missed() {
    let home = Home::new();
    for field in [
        "schema_version",
        "server_url",
        "trust_anchors_pem",
        "persistent_directory",
    ] {
        let mut config = config();
        config.as_object_mut().unwrap().remove(field);
        let words = home.refusal(&config);
        assert!(words.contains(&format!("`{field}` is missing")), "{words}");
    }
}

#[test]
fn an_unknown_version_is_refused_before_anything_else() {
    let home = Home::new();
    let config = json!({"schema_version": 2, "something_new": true});
    assert!(matches!(
        home.load(&config),
        Err(ConfigError::SchemaVersion { found: 2, .. })
    ));
}

#[test]
fn half_a_quadruple_is_refused_with_what_is_missing() {
    let (pem, key) = certificate(ID);
    let whole = [
        ("device_id", json!(ID)),
        ("device_token", json!(TOKEN)),
        ("device_certificate_pem", json!(pem)),
        ("device_private_key_pem", json!(key)),
    ];
    let home = Home::new();
    // Every selection but none and all.
    for selection in 1..15 {
        let mut config = config();
        let mut missing = Vec::new();
        for (at, (field, value)) in whole.iter().enumerate() {
            if selection >> at & 1 == 1 {
                config[field] = value.clone();
            } else {
                missing.push(*field);
            }
        }
        let words = home.refusal(&config);
        assert!(words.ends_with(&missing.join(", ")), "{words}");
    }
}

#[test]
fn a_quadruple_that_does_not_fit_together_is_refused() {
    let (pem, key) = certificate(ID);
    let (others_pem, others_key) = certificate("0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a11");
    let home = Home::new();
    for (pem, key, field) in [
        (&pem, &others_key, "device_private_key_pem"),
        (&others_pem, &others_key, "device_certificate_pem"),
        (&"nothing".to_owned(), &key, "device_certificate_pem"),
        (&pem, &"nothing".to_owned(), "device_private_key_pem"),
    ] {
        let mut config = config();
        config["device_id"] = json!(ID);
        config["device_token"] = json!(TOKEN);
        config["device_certificate_pem"] = json!(pem);
        config["device_private_key_pem"] = json!(key);
        let words = home.refusal(&config);
        assert!(words.contains(&format!("`{field}`")), "{words}");
        assert!(!words.contains("BEGIN PRIVATE"), "{words}");
    }
}

#[test]
fn the_identity_file_wins_field_by_field() {
    let home = Home::new();
    let identity = home.write(
        "identity.json",
        r#"{"name":"press-2","polling_interval_s":5}"#,
    );
    let mut config = with("identity_path", json!(identity));
    config["name"] = json!("press-1");
    config["group"] = json!("presses");
    let configuration = home.load(&config).unwrap();
    assert_eq!(configuration.name.unwrap().as_str(), "press-2");
    assert_eq!(configuration.group.as_str(), "presses");
    assert_eq!(configuration.polling_interval, Duration::from_secs(5));
}

#[test]
fn a_bad_identity_file_is_named() {
    let home = Home::new();
    let path = home.path("identity.json");
    let config = with("identity_path", json!(path));
    assert!(home.load(&config).unwrap_err().is_absence());
    for (text, hint) in [
        (r#"{"schema_version":3}"#, "version 3 is not known"),
        (r#"{"nme":"a"}"#, "nme"),
        (r#"{"identity_path":"/a"}"#, "can't name another"),
        ("", "EOF"),
    ] {
        fs::write(&path, text).unwrap();
        let words = home
            .refusal(&config)
            .replace("schema_version 3 is", "version 3 is");
        assert!(
            words.contains("identity.json") && words.contains(hint),
            "{text}: {words}"
        );
    }
}

#[test]
fn an_absent_file_is_told_from_one_that_can_not_be_read() {
    let home = Home::new();
    let absent = Configuration::load(Path::new("/does/not/exist")).unwrap_err();
    assert!(absent.is_absence());
    let directory = Configuration::load(home.0.path()).unwrap_err();
    assert!(matches!(directory, ConfigError::Unreadable { .. }));
    let large = home.write("large.json", " ".repeat(1024 * 1024 + 1));
    assert!(matches!(
        Configuration::load(&large),
        Err(ConfigError::TooLarge(_))
    ));
}

#[test]
fn a_file_that_is_made_from_the_type_reads_back() {
    let file = ConfigFile {
        schema_version: Some(1),
        server_url: Some("https://a.test".into()),
        trust_anchors_pem: Some(vec![certificate(ID).0]),
        name_prefix: Some("press".into()),
        persistent_directory: Some("/var/lib/enlist".into()),
        hardware_id: Some(HardwareSource::Value("A-1".into())),
        ..ConfigFile::default()
    };
    let text = serde_json::to_value(&file).unwrap();
    assert_eq!(
        text.as_object().unwrap().len(),
        6,
        "what is absent is left out: {text}"
    );
    let configuration = Home::new().load(&text).unwrap();
    assert_eq!(configuration.name_prefix.unwrap().as_str(), "press");
}
