//! A whole hierarchy, and OpenSSL to judge it.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use enlist_attest::{Verified, approved};
use enlist_ca::{
    Authority, CA_KEY, DeviceSubject, IssueRefusal, IssuingCa, Pointers, ROOT_KEY, SERVER_KEY,
    make_issuing_ca, make_root, make_server_certificate, make_service_ca,
};
use enlist_core::{
    ApiTokenId, CertificateProfile, DeviceId, HardwareIdentity, Name, Operator, Role, Serial,
    SystemClock, SystemRng, Timestamp,
};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Csr, KeyKind, Signer, SubjectName, csr};

pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub const WEEK: Duration = Duration::from_secs(168 * 3600);

pub struct Rig {
    pub root: Authority,
    pub service: Authority,
    pub issuing: IssuingCa,
    pub issuing_key: Arc<FileKey>,
    pub id: DeviceId,
    pub name: Name,
    pub group: Name,
    pub tenant: Name,
    pub hardware: Option<HardwareIdentity>,
}

pub fn key(kind: KeyKind) -> Arc<FileKey> {
    Arc::new(FileKey::generate(kind).unwrap())
}

pub fn serial() -> Serial {
    Serial::new(&SystemClock, &SystemRng)
}

pub fn verified(csr: &Csr) -> Verified {
    let operator = Operator {
        token: ApiTokenId::from_bytes([1; 16]),
        label: "test".into(),
        role: Role::Admin,
        tenant: None,
        group: None,
        expires_at: None,
    };
    approved(csr, &operator)
}

pub fn plain_csr(key: &dyn Signer) -> Csr {
    Csr::from_der(&csr::build(key, "press-7").unwrap()).unwrap()
}

impl Rig {
    pub fn new() -> Self {
        Self::with_pointers(&Pointers::default())
    }

    pub fn with_pointers(pointers: &Pointers) -> Self {
        let tenant: Name = "acme".parse().unwrap();
        let root = make_root(key(ROOT_KEY), serial(), NOW).unwrap();
        let service_key = key(CA_KEY);
        let service = make_service_ca(&root, service_key.public_key(), serial(), NOW).unwrap();
        let issuing_key = key(CA_KEY);
        let issuing =
            make_issuing_ca(&root, &tenant, issuing_key.public_key(), serial(), NOW).unwrap();
        let authority = Authority::new(issuing, Arc::clone(&issuing_key) as _).unwrap();
        Self {
            service: Authority::new(service, service_key).unwrap(),
            issuing: IssuingCa::new(authority, pointers).unwrap(),
            issuing_key,
            root,
            id: "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10".parse().unwrap(),
            name: "press-7".parse().unwrap(),
            group: "hall-2".parse().unwrap(),
            tenant,
            hardware: None,
        }
    }

    pub fn subject(&self) -> DeviceSubject<'_> {
        DeviceSubject {
            id: self.id,
            name: &self.name,
            group: &self.group,
            tenant: &self.tenant,
            hardware: self.hardware.as_ref(),
        }
    }

    pub fn device(
        &self,
        csr: &Csr,
        profile: &CertificateProfile,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Certificate, IssueRefusal> {
        let verified = verified(csr);
        self.issuing
            .device(&verified, &self.subject(), profile, lifetime, serial(), now)
    }

    pub fn plain_device(&self) -> Certificate {
        let csr = plain_csr(&*key(KeyKind::P256));
        self.device(&csr, &CertificateProfile::default(), WEEK, NOW)
            .unwrap()
    }

    pub fn server(&self, names: &[&str]) -> (Certificate, Arc<FileKey>) {
        let key = key(SERVER_KEY);
        let names: Vec<_> = names
            .iter()
            .map(|name| SubjectName::host(name).unwrap())
            .collect();
        let certificate =
            make_server_certificate(&self.service, key.public_key(), &names, serial(), NOW)
                .unwrap();
        (certificate, key)
    }
}

/// Runs `openssl` in `dir`; its arguments are split at blanks.
pub fn openssl(dir: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("the openssl binary is there")
}

/// The same, which must succeed; returns its stdout.
pub fn openssl_ok(dir: &Path, arguments: &str) -> String {
    let output = openssl(dir, arguments);
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
