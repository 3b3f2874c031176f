//! Against swtpm and tpm2-tools, neither of which knows this program.

use enlist_attest::tpm::{TpmEndorsement, TpmEvidence};
use enlist_core::{SystemRng, tpm_certify_data};
use enlist_pki::manufacturer::{Manufacturer, NotVouched};
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme, Signer};

use crate::rig::{NOW, csr_over};
use crate::tools::Tools;

/// A key in the TPM, used through the tools.
struct ToolKey<'a> {
    tools: &'a Tools,
    handle: u32,
    public: PublicKey,
}

impl Signer for ToolKey<'_> {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let handle = self.handle;
        self.tools.write("message", message);
        self.tools.run(&format!(
            "sign -Q -c {handle:#x} -g sha256 -f plain -o signature message"
        ));
        Ok(self.tools.read("signature"))
    }
}

/// An endorsement key to try, and how the TPM lets us use it.
struct Endorsement {
    handle: u32,
    certificate: Option<&'static str>,
    by_policy: bool,
    /// The attestation key that goes with it.
    ak: &'static str,
}

const BY_POLICY: &str = "session:session.ctx";
const ATTRIBUTES: &str = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";

#[test]
fn a_real_tpm_answers_the_challenge_and_its_word_for_a_key_holds() {
    let Some(tools) = Tools::start() else { return };
    tools.run("createek -Q -G ecc -c 0x81010100 -u ek256.tss");
    tools.run(&format!(
        "createprimary -Q -C o -G ecc256 -a {ATTRIBUTES} -c key.ctx"
    ));
    tools.run("evictcontrol -Q -C o -c key.ctx 0x81010101");
    for (number, endorsement) in [
        Endorsement {
            handle: 0x8101_0001,
            certificate: Some("ek-rsa2048.crt"),
            by_policy: true,
            ak: "ecc256:ecdsa-sha256:null",
        },
        Endorsement {
            handle: 0x8101_0016,
            certificate: Some("ek-secp384r1.crt"),
            by_policy: false,
            ak: "rsa2048:rsassa-sha256:null",
        },
        Endorsement {
            handle: 0x8101_0100,
            certificate: None,
            by_policy: true,
            ak: "rsa2048:rsapss-sha256:null",
        },
        Endorsement {
            handle: 0x8101_0016,
            certificate: Some("ek-secp384r1.crt"),
            by_policy: false,
            ak: "ecc384:ecdsa-sha384:null",
        },
    ]
    .into_iter()
    .enumerate()
    {
        let ak = 0x8101_0200 + u32::try_from(number).unwrap();
        tools.run(&format!(
            "createprimary -Q -C e -G {} -a {ATTRIBUTES}|restricted -c ak.ctx",
            endorsement.ak
        ));
        tools.run(&format!("evictcontrol -Q -C o -c ak.ctx {ak:#x}"));
        attested(&tools, &endorsement, ak);
    }
}

fn attested(tools: &Tools, endorsement: &Endorsement, ak: u32) {
    let (ek, ak_type) = (endorsement.handle, endorsement.ak);
    let brought = TpmEndorsement {
        ek_public: public(tools, ek),
        ek_certificates: endorsement
            .certificate
            .map(|name| tools.read(name))
            .into_iter()
            .collect(),
        ak_public: public(tools, ak),
    };
    let endorsed = brought.read().unwrap();

    // The TPM gives out what was encrypted for it.
    let secret = [0x5a; 32];
    let made = endorsed.credential(&secret, &SystemRng).unwrap();
    let header = [0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1];
    tools.write(
        "credential",
        &[&header, &*made.blob, &*made.encrypted_secret].concat(),
    );
    let auth = if endorsement.by_policy {
        tools.tool("startauthsession --policy-session -S session.ctx");
        tools.tool("policysecret -Q -S session.ctx -c e");
        format!("-P {BY_POLICY}")
    } else {
        String::new()
    };
    tools.tool(&format!(
        "activatecredential -Q -c {ak:#x} -C {ek:#x} -i credential -o activated {auth}"
    ));
    if endorsement.by_policy {
        tools.tool("flushcontext session.ctx");
    }
    assert_eq!(tools.read("activated"), secret, "{ek:#x}");

    // It certifies its key for the CSR that the key has signed.
    let key_public = public(tools, 0x8101_0101);
    let key = ToolKey {
        tools,
        handle: 0x8101_0101,
        public: point_of(&key_public),
    };
    let csr = csr_over(&key);
    let challenge = vec![7; 57];
    let qualifying = tpm_certify_data(&challenge, csr.der());
    let (certify_info, certify_signature) = certify(tools, key.handle, ak, qualifying.as_bytes());
    let evidence = TpmEvidence {
        endorsement: brought,
        challenge,
        activated: secret.to_vec(),
        key_public,
        certify_info,
        certify_signature,
    };
    let attested = evidence.verify(&endorsed, &csr, NOW).expect(ak_type);
    assert_eq!(attested.identity(), endorsed.identity());
    assert_eq!(attested.verified().key(), csr.public_key());

    // Whose TPM it is, its maker's certificate says.
    let root = tools.manufacturer("swtpm-localca-rootca-cert.pem");
    let both = root.clone() + &tools.manufacturer("issuercert.pem");
    let (root, both) = (
        Manufacturer::from_pem(&root).unwrap(),
        Manufacturer::from_pem(&both).unwrap(),
    );
    let now = enlist_core::Timestamp::from_secs(4_000_000_000);
    match endorsement.certificate {
        Some(_) => {
            assert_eq!(endorsed.voucher([&both], now).unwrap(), 0);
            let refusal = endorsed.voucher([&root], now).unwrap_err();
            assert!(matches!(refusal, NotVouched::UnknownIssuer), "{refusal}");
            // The CA between comes with the device.
            let mut brought = evidence.endorsement.clone();
            let between = enlist_pki::Certificate::from_pem(&tools.manufacturer("issuercert.pem"));
            brought
                .ek_certificates
                .push(between.unwrap().der().to_vec());
            let endorsed = brought.read().unwrap();
            assert_eq!(endorsed.voucher([&root], now).unwrap(), 0);
        }
        None => {
            let refusal = endorsed.voucher([&both], now).unwrap_err();
            assert!(matches!(refusal, NotVouched::NoCertificate), "{refusal}");
        }
    }
}

/// The public area of a persistent key.
fn public(tools: &Tools, handle: u32) -> Vec<u8> {
    tools.run(&format!("readpublic -Q -c {handle:#x} -f tpmt -o public"));
    tools.read("public")
}

/// The point of a P-256 key that has neither policy, cipher, scheme nor derivation.
fn point_of(public: &[u8]) -> PublicKey {
    let (x, y) = (&public[20..52], &public[54..86]);
    PublicKey::from_point(KeyKind::P256, x, y).unwrap()
}

/// `TPM2_Certify`, which the tools can't ask to say something along.
fn certify(tools: &Tools, key: u32, ak: u32, qualifying: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let password = [0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    let parameters = [
        &0x148u32.to_be_bytes()[..],
        &key.to_be_bytes(),
        &ak.to_be_bytes(),
        &18u32.to_be_bytes(),
        &password,
        &password,
        &u16::try_from(qualifying.len()).unwrap().to_be_bytes(),
        qualifying,
        &[0, 0x10],
    ]
    .concat();
    let length = u32::try_from(parameters.len() + 6).unwrap();
    let command = [&[0x80, 0x02], &length.to_be_bytes()[..], &parameters].concat();
    let response = tools.raw(&command);
    let size = u32::from_be_bytes(response[10..14].try_into().unwrap()) as usize;
    let parameters = &response[14..14 + size];
    let length = usize::from(u16::from_be_bytes([parameters[0], parameters[1]]));
    let (info, signature) = parameters[2..].split_at(length);
    (info.to_vec(), signature.to_vec())
}
