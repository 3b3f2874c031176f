//! A server that is believed and answers garbage, or hands out certificates that are not this device's: the
//! device takes none of it, keeps what it has, and goes on with the real server by itself.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod rig;

use enlist_pki::{Csr, KeyPurpose, PublicKey, SubjectName, chain_from_pem};
use enlist_wire::Binary;
use rig::device::Device;
use rig::rogue::{Rogue, Switch};
use rig::{Rig, eventually};
use serde_json::{Value, json};

/// A device at work behind a switch, which would believe the rogue.
struct Ground<'a> {
    device: Device<'a>,
    real: &'a str,
    rogue: Rogue,
    switch: Switch,
}

impl<'a> Ground<'a> {
    fn new(rig: &'a Rig) -> Self {
        let real = rig.url.trim_start_matches("https://");
        let (rogue, switch) = (Rogue::start(), Switch::to(real));
        let root = rig.read("../data/root.pem");
        let more = json!({
            "server_url": switch.url,
            "trust_anchors_pem": [root, rogue.root.to_pem()],
            "service_anchors_pem": [rogue.root.to_pem()],
            "network_timeout_s": 5,
        });
        let mut device = Device::new(rig, &more);
        device.start();
        eventually("it is settled", || device.status()["confirmed"] == true);
        Self {
            device,
            real,
            rogue,
            switch,
        }
    }

    /// Has the device renew at the server that is at `address`: nothing changes, and the log says why.
    /// Then the real one is back.
    fn survives(&mut self, what: &str, address: &str, says: &str) {
        let before = self.device.certificate();
        let told = self.device.log().len();
        self.switch.point(address);
        let pid = self.device.pid();
        self.device.rig.ok(&format!("kill -USR1 {pid}"));
        eventually(what, || self.device.log()[told..].contains(says));
        assert_eq!(self.device.certificate(), before, "{what}");
        assert_eq!(self.device.status()["state"], "enrolled", "{what}");
        assert!(self.device.is_up(), "{what}");
        self.switch.point(self.real);
        eventually("the renewal goes through", || {
            self.device.certificate() != before
        });
        eventually("it is settled", || {
            let status = self.device.status();
            status["confirmed"] == true && status["renewing"] == false
        });
    }
}

fn reply(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn garbage_of_every_kind_changes_nothing() {
    let rig = Rig::new();
    let mut ground = Ground::new(&rig);
    let rogue = ground.rogue.address.clone();
    let garbage: [(&str, Vec<u8>); 9] = [
        ("nothing at all", Vec::new()),
        ("noise", (0..=255).cycle().take(5000).collect()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("no JSON", reply("200 OK", b"<html>Welcome</html>")),
        ("another JSON", reply("200 OK", b"{}")),
        ("a deep JSON", reply("200 OK", &b"[".repeat(200_000))),
        ("a huge answer", reply("200 OK", &b" ".repeat(8_000_000))),
        ("an error page", reply("502 Bad Gateway", b"<html>")),
        (
            "the way to elsewhere",
            b"HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
                .to_vec(),
        ),
    ];
    for (what, bytes) in garbage {
        ground.rogue.answers(move |_, _| bytes.clone());
        ground.survives(what, &rogue, "trying again");
    }
    // What does not even speak TLS.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut client, b"SSH-2.0-OpenSSH_9.9\r\n");
        }
    });
    ground.survives("no TLS", &address, "trying again");
}

#[test]
fn a_certificate_for_another_key_or_for_another_device_is_not_taken() {
    let rig = Rig::new();
    let mut ground = Ground::new(&rig);
    let rogue = ground.rogue.address.clone();
    let own = ground.device.status();
    let id = own["device_id"].as_str().unwrap().to_owned();

    // A good certificate of the real CA's, which is another device's.
    rig.ok("enlist add secret -g crashes > secret");
    rig.ok("enlist provision other -g crashes --secret-file secret");
    let chain = chain_from_pem(&rig.read("other_crt.pem")).unwrap();
    let root = rig.read("../data/root.pem");
    let (leaf, issuing) = (chain[0].to_pem(), chain[1].to_pem());
    let enrolled = move |id: &str, leaf: &str, issuing: &str, root: &str| {
        let reply = json!({
            "device_id": id, "tenant": "default", "group": "crashes", "name": "device",
            "certificate": leaf, "issuing_ca": issuing, "root": root, "serial": "07",
            "not_before": "2026-01-01T00:00:00Z", "not_after": "2036-01-01T00:00:00Z",
        });
        reply.to_string().into_bytes()
    };
    let only_renew = |path: &str, body: Vec<u8>| {
        if path.ends_with("/renew") {
            reply("200 OK", &body)
        } else {
            reply("503 Service Unavailable", b"{}")
        }
    };
    let own_id = id.clone();
    let stolen = enrolled(&own_id, &leaf, &issuing, &root);
    ground
        .rogue
        .answers(move |path, _| only_renew(path, stolen.clone()));
    ground.survives("another's certificate", &rogue, "over another key");

    // A certificate over the very key that was asked for, which names another device.
    let issuer = ground.rogue.issuer();
    ground.rogue.answers(move |path, body| {
        let key = asked(body);
        let other = "urn:uuid:01900000-0000-7000-8000-000000000000";
        let names = [SubjectName::Uri(other.into())];
        let leaf = key.map(|key| issuer.issue(&key, KeyPurpose::ClientAuth, &names));
        let leaf = leaf.map_or_else(String::new, |leaf| leaf.to_pem());
        let root = issuer.root.to_pem();
        only_renew(path, enrolled(&own_id, &leaf, &root, &root))
    });
    ground.survives("another's name", &rogue, "for another device");
    assert_eq!(ground.device.status()["device_id"], id.as_str());
}

/// The key that a renewal asks to have certified.
fn asked(body: &Value) -> Option<PublicKey> {
    let csr: Binary = serde_json::from_value(body["csr"].clone()).ok()?;
    Some(Csr::from_der(&csr.0).ok()?.public_key().clone())
}
