//! A real mosquitto takes a provisioned device, and turns strangers away.

#![allow(clippy::unwrap_used)]

mod rig;

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rig::{Rig, eventually};

#[test]
fn mosquitto_takes_a_provisioned_device_and_refuses_strangers() {
    if !installed() {
        return;
    }
    let rig = Rig::new();
    rig.ok("enlist add group sensors --enrollment open > secret.txt");
    rig.ok("enlist provision sensor-1 -g sensors -s \"$(cat secret.txt)\"");
    rig.ok("enlist get anchor > anchor.pem");
    // A device of another tenant of the same installation, with the same names.
    rig.ok("enlist add tenant acme");
    rig.ok("enlist -t acme add group sensors --enrollment open > acme.txt");
    rig.ok("enlist -t acme provision sensor-1 -g sensors -s \"$(cat acme.txt)\" --out acme");
    // The broker's own certificate is not ours: any will do that its clients believe.
    rig.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost \
            -keyout broker.key -out broker.pem 2>broker.log",
    );
    // A stranger with a CA of its own that goes by the same names.
    rig.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
            -subj /CN=sensor-1 -keyout stranger.key -out stranger.pem 2>stranger.log",
    );
    let broker = Broker::start(&rig.work());
    let publish = |who: &str| {
        rig.sh(&format!(
            "timeout 20 mosquitto_pub -h localhost -p {} --cafile broker.pem {who} -t t -m hello",
            broker.port
        ))
    };

    let device = publish("--cert sensor-1_crt.pem --key sensor-1_key.pem");
    assert_eq!(device.status, 0, "{device:?}");
    let stranger = publish("--cert stranger.pem --key stranger.key");
    assert_ne!(stranger.status, 0, "{stranger:?}");
    let neighbour = publish("--cert acme/sensor-1_crt.pem --key acme/sensor-1_key.pem");
    assert_ne!(neighbour.status, 0, "{neighbour:?}");
    let nobody = publish("");
    assert_ne!(nobody.status, 0, "{nobody:?}");
    // The broker is still there for those who may.
    let device = publish("--cert sensor-1_crt.pem --key sensor-1_key.pem");
    assert_eq!(device.status, 0, "{device:?}");
}

fn installed() -> bool {
    let there = Path::new("/usr/sbin/mosquitto").exists()
        && Command::new("mosquitto_pub").arg("--help").output().is_ok();
    if !there {
        let note = "mosquitto and mosquitto_pub are not installed";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
    }
    there
}

/// A broker of the test's own.
struct Broker {
    process: Child,
    port: u16,
}

impl Broker {
    fn start(dir: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = |name: &str| dir.join(name).display().to_string();
        let configuration = format!(
            "per_listener_settings false\nallow_anonymous true\nuser root\nlistener {port} 127.0.0.1\n\
             require_certificate true\nuse_identity_as_username true\ncafile {}\ncertfile {}\nkeyfile {}\n",
            at("anchor.pem"),
            at("broker.pem"),
            at("broker.key"),
        );
        std::fs::write(dir.join("mosquitto.conf"), configuration).unwrap();
        let log = std::fs::File::create(dir.join("mosquitto.log")).unwrap();
        let process = Command::new("/usr/sbin/mosquitto")
            .args(["-c", "mosquitto.conf"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let broker = Self { process, port };
        eventually("the broker listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        broker
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
