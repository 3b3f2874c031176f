//! What takes devices in learns of a suspension and of a revocation: real nginx and mosquitto, set up as
//! docs/consumers.md says, and `openssl` and strongSwan's `pki` beside them.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::fs;
use std::time::{Duration, Instant};

use rig::consumers::{Broker, Ended, Nginx, SLOW, Session, systemctl};
use rig::{Rig, eventually, free_port, installed, page};

const PROGRAMS: [&str; 6] = [
    "nginx",
    "mosquitto",
    "mosquitto_pub",
    "openssl",
    "curl",
    "pki",
];
/// Longer than it takes on a machine that does ten other things.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn consumers_turn_a_device_away_while_it_is_suspended_and_for_good_when_it_is_revoked() {
    if !installed(&PROGRAMS) {
        return;
    }
    let status = format!("127.0.0.1:{}", free_port());
    let rig = Rig::serving(&["--status-listen", &status]);
    let all = Consumers::start(&rig, &status);
    all.see("sensor-1", Seen::Good);
    all.see("sensor-2", Seen::Good);
    // The second one is connected everywhere, and stays so to the end.
    let mut request = all.asking.keep(&rig, "sensor-2");
    let mut listener = all.broker.keep(&rig, "sensor-2");
    let mut download = all.download("sensor-2");

    let begun = Instant::now();
    rig.ok("enlist suspend device sensor-1 -g sensors");
    all.learn("sensor-1", begun, "hold");
    all.see("sensor-1", Seen::OnHold);
    all.see("sensor-2", Seen::Good);
    request.asks();

    rig.ok("enlist resume device sensor-1 -g sensors");
    eventually("nginx has read that it is good", || {
        all.refresh();
        all.reading.takes(&rig, "sensor-1") && all.broker.takes(&rig, "sensor-1")
    });
    all.see("sensor-1", Seen::Good);

    // A session of before does not help.
    let session = Session::of(&rig, "sensor-1", &all.reading);
    assert!(session.begins().contains("200 OK"));
    let begun = Instant::now();
    rig.ok("enlist deprovision sensor-1 -g sensors");
    all.learn("sensor-1", begun, "revocation");
    assert!(session.resumes().contains("400 Bad Request"));
    all.see("sensor-1", Seen::Revoked);
    // Enrolled again it is another device to them; the certificate of before stays revoked.
    rig.ok(
        "mkdir again; enlist provision sensor-1 -g sensors -s \"$(cat secret.txt)\" --out again",
    );
    all.see("sensor-1", Seen::Revoked);
    all.see("again/sensor-1", Seen::Good);

    all.see("sensor-2", Seen::Good);
    request.asks();
    assert!(listener.is_at_work());
    let log = all.broker.log();
    assert_eq!(
        log.matches(" as sensor-2 ").count(),
        1,
        "it stayed connected"
    );
    let passed_on = log.matches("Sending PUBLISH to sensor-2").count();
    eventually("it has heard all that was said", || {
        rig.read("sensor-2.heard").lines().count() == passed_on
    });
    download.0.wait().unwrap();
    assert_eq!(fs::read(rig.work().join("slow")).unwrap().len(), SLOW);
}

#[test]
fn while_the_issuing_ca_is_rolled_over_consumers_know_both() {
    if !installed(&PROGRAMS) {
        return;
    }
    let status = format!("127.0.0.1:{}", free_port());
    let rig = Rig::serving(&["--status-listen", &status]);
    let mut all = Consumers::start(&rig, &status);
    rig.ok("enlist add ca; enlist get anchor > etc/anchor.pem");
    let cas = rig.json("enlist get cas -o json");
    let ids = cas.as_array().unwrap().iter().map(|ca| &ca["ca_id"]);
    let urls = ids.map(|id| format!("http://{status}/crl/{}.crl", id.as_str().unwrap()));
    all.crl = urls.collect::<Vec<_>>().join(" ");
    // nginx reads its anchors again with the list; mosquitto reads its own only when it starts.
    all.refresh();
    rig.ok(&format!("kill -HUP {}", all.asking.pid()));
    all.restart_broker();
    rig.ok("enlist retire ca --force");
    rig.ok("enlist provision sensor-3 -g sensors -s \"$(cat secret.txt)\"");
    let issuer = |device: &str| {
        rig.ok(&format!(
            "openssl x509 -in {device}_crt.pem -noout -ext authorityKeyIdentifier"
        ))
    };
    assert_ne!(issuer("sensor-1"), issuer("sensor-3"), "it was rolled over");
    let taken = |device: &str| {
        let by = [
            all.asking.takes(&rig, device),
            all.reading.takes(&rig, device),
            all.broker.takes(&rig, device),
        ];
        assert!(by == [by[0]; 3], "{device}: {by:?}");
        by[0]
    };
    eventually("nginx has read the anchors", || {
        all.asking.takes(&rig, "sensor-3") && all.reading.takes(&rig, "sensor-3")
    });
    assert!(taken("sensor-1") && taken("sensor-2") && taken("sensor-3"));
    rig.ok("enlist suspend device sensor-1 -g sensors");
    rig.ok("enlist suspend device sensor-3 -g sensors");
    eventually("both lists say so", || {
        all.refresh();
        all.crl_names("sensor-1") && all.crl_names("sensor-3")
    });
    eventually("nginx has read them", || {
        !all.reading.takes(&rig, "sensor-3")
    });
    assert!(!taken("sensor-1") && taken("sensor-2") && !taken("sensor-3"));
}

/// How a certificate looks to those outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Good,
    OnHold,
    Revoked,
}

/// All that take devices in.
struct Consumers<'a> {
    rig: &'a Rig,
    /// nginx, which asks by OCSP.
    asking: Nginx,
    /// nginx with a CRL.
    reading: Nginx,
    broker: Broker,
    /// What its configuration has of the page.
    about_broker: String,
    /// The URLs of the lists.
    crl: String,
}

impl<'a> Consumers<'a> {
    /// Provisions two devices, and starts those that are to take them in.
    fn start(rig: &'a Rig, status: &str) -> Self {
        rig.ok("enlist add group sensors --enrollment open > secret.txt");
        for device in ["sensor-1", "sensor-2"] {
            rig.ok(&format!(
                "enlist provision {device} -g sensors -s \"$(cat secret.txt)\""
            ));
        }
        rig.ok("mkdir etc; enlist get anchor > etc/anchor.pem; cp etc/anchor.pem .");
        // A consumer's own certificate is not ours: any will do that its clients believe.
        rig.ok(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
                -subj /CN=localhost -addext subjectAltName=DNS:localhost \
                -keyout broker.key -out broker.pem 2>broker.log",
        );
        let crl = rig.ok(
            "openssl x509 -in sensor-1_crt.pem -noout -ext crlDistributionPoints \
                | sed -n 's/^ *URI://p'",
        );
        let crl = crl.trim().to_owned();
        assert!(crl.starts_with(&format!("http://{status}/crl/")), "{crl}");
        let page = page::read("consumers.md").replace("/etc/enlist", &in_work(rig, "etc"));
        let [script, by_hand] = page::blocks(&page, "sh").try_into().unwrap();
        rig.write("enlist-crl", &script);
        rig.write("by-hand", &by_hand);
        // The first CRL is there before those begin who read it; there is nobody to tell of it yet.
        systemctl(rig, "exit 0\n");
        rig.ok(&format!("sh enlist-crl {crl}"));
        let [asking, reading] = page::blocks(&page, "nginx").try_into().unwrap();
        let [about_broker] = page::blocks(&page, "mosquitto").try_into().unwrap();
        let work = rig.work();
        let all = Self {
            rig,
            asking: Nginx::start(&work, "asking", &asking),
            reading: Nginx::start(&work, "reading", &reading),
            broker: Broker::start(&work, &about_broker),
            about_broker,
            crl,
        };
        all.tell_them();
        all
    }

    fn restart_broker(&mut self) {
        self.broker = Broker::start(&self.rig.work(), &self.about_broker);
        self.tell_them();
    }

    /// From now on `systemctl` reaches these.
    fn tell_them(&self) {
        systemctl(
            self.rig,
            &format!(
                "case \"$*\" in\n'reload nginx') kill -HUP {} ;;\n\
                 'kill -s HUP mosquitto') kill -HUP {} ;;\n*) exit 1 ;;\nesac\n",
                self.reading.pid(),
                self.broker.pid()
            ),
        );
    }

    /// What a timer does.
    fn refresh(&self) {
        self.rig.ok(&format!("sh enlist-crl {}", self.crl));
    }

    /// Waits until all have learnt that a device is not to be taken in, and says how long that took.
    fn learn(&self, device: &str, begun: Instant, what: &str) {
        let told = begun.elapsed();
        let (rig, mut times) = (self.rig, Vec::new());
        let mut wait = |who: &str, is_so: &mut dyn FnMut() -> bool| {
            eventually(who, is_so);
            times.push(format!("{who} {:?}", begun.elapsed()));
        };
        wait("Enlist itself", &mut || !self.is_served(device));
        wait("openssl ocsp", &mut || {
            !self.ocsp(device).contains(": good")
        });
        wait("nginx, by OCSP", &mut || !self.asking.takes(rig, device));
        wait("CRL", &mut || {
            self.refresh();
            self.crl_names(device)
        });
        wait("nginx, by CRL", &mut || !self.reading.takes(rig, device));
        wait("mosquitto", &mut || !self.broker.takes(rig, device));
        eprintln!(
            "{what}: ordered within {told:?}; refused by {}",
            times.join(", ")
        );
        assert!(begun.elapsed() - told < SOON, "{times:?}");
    }

    /// Everybody has to see it like that.
    #[track_caller]
    fn see(&self, device: &str, seen: Seen) {
        let good = seen == Seen::Good;
        assert_eq!(self.is_served(device), good, "Enlist itself");
        assert_eq!(self.asking.takes(self.rig, device), good, "nginx by OCSP");
        assert_eq!(self.reading.takes(self.rig, device), good, "nginx by CRL");
        assert_eq!(self.broker.takes(self.rig, device), good, "mosquitto");
        if !good {
            for nginx in [&self.asking, &self.reading] {
                assert!(nginx.log().contains("certificate revoked"), "it knows why");
            }
        }
        let reason = match seen {
            Seen::Good => "",
            Seen::OnHold => "Reason: certificateHold",
            Seen::Revoked => "Revocation Time",
        };
        let ocsp = self.ocsp(device);
        assert!(
            ocsp.contains("Response verify OK") && ocsp.contains(reason),
            "{ocsp}"
        );
        let standing = if good { "good" } else { "revoked" };
        assert!(
            ocsp.contains(&format!("{device}_crt.pem: {standing}")),
            "{ocsp}"
        );
        self.see_by_hand(device, seen);
    }

    /// The lines of the page, one by one; and `pki` once more without OCSP, so that it has to look into
    /// the CRL.
    #[track_caller]
    fn see_by_hand(&self, device: &str, seen: Seen) {
        let script = self.rig.read("by-hand").replace("sensor-1", device);
        let [ocsp, verify, pki] = commands(&script).try_into().unwrap();
        let said = |script: &str| {
            let ran = self.rig.sh(script);
            (ran.status == 0, ran.out + &ran.err)
        };
        let good = seen == Seen::Good;
        let (_, text) = said(&ocsp);
        assert_eq!(text.contains(": good"), good, "{text}");
        let (ok, text) = said(&verify);
        assert_eq!(ok, good, "{text}");
        assert_eq!(text.contains("certificate revoked"), !good, "{text}");
        self.rig.write(
            "no-ocsp.conf",
            "pki { load_modular = no\n plugins { revocation { enable_ocsp = no } } }\n\
             libstrongswan { plugins { revocation { enable_ocsp = no } } }\n",
        );
        let status = match seen {
            Seen::Good => "certificate status is good",
            Seen::OnHold => "reason: certificate hold",
            Seen::Revoked => "certificate was revoked",
        };
        for (way, pki) in [
            ("ocsp response correctly signed", pki.clone()),
            (
                "crl correctly signed",
                format!("STRONGSWAN_CONF=no-ocsp.conf {pki}"),
            ),
        ] {
            let (ok, text) = said(&pki);
            assert_eq!(ok, good, "{text}");
            assert!(text.contains(way) && text.contains(status), "{text}");
        }
    }

    /// What `openssl ocsp` prints, with a nonce.
    fn ocsp(&self, device: &str) -> String {
        let certificate = format!("{device}_crt.pem");
        let ran = self.rig.sh(&format!(
            "openssl ocsp -issuer anchor.pem -CAfile anchor.pem -cert {certificate} \
                -url \"$(openssl x509 -in {certificate} -noout -ocsp_uri)\""
        ));
        ran.out + &ran.err
    }

    /// Whether Enlist answers a device by its certificate.
    fn is_served(&self, device: &str) -> bool {
        let status = self.rig.ok(&format!(
            "curl -sS -m 20 --cacert ../data/root.pem --cert {device}_crt.pem --key {device}_key.pem \
                -o answer -w '%{{http_code}}' {}/v1/device",
            self.rig.url
        ));
        match status.as_str() {
            "200" => true,
            "401" | "403" => false,
            _ => panic!("{status}: {}", self.rig.read("answer")),
        }
    }

    fn crl_names(&self, device: &str) -> bool {
        let serial = self.rig.ok(&format!(
            "openssl x509 -in {device}_crt.pem -noout -serial | cut -d= -f2"
        ));
        let crl = self
            .rig
            .ok("for list in etc/*.crl.pem; do openssl crl -in $list -noout -text; done");
        crl.contains(&format!("Serial Number: {}", serial.trim()))
    }

    /// Something long from the nginx that is reloaded, which takes its time.
    fn download(&self, device: &str) -> Ended {
        let curl = self
            .rig
            .command("curl")
            .args(["-sS", "-m", "120", "-o", "slow", "--cacert", "broker.pem"])
            .args(["--cert", &format!("{device}_crt.pem")])
            .args(["--key", &format!("{device}_key.pem")])
            .arg(format!("https://localhost:{}/slow", self.reading.port))
            .spawn();
        let curl = Ended(curl.unwrap());
        eventually("it has begun", || self.rig.work().join("slow").exists());
        curl
    }
}

fn in_work(rig: &Rig, name: &str) -> String {
    rig.work().join(name).display().to_string()
}

/// The commands of a script; one that goes on in the next line ends its own with a backslash.
fn commands(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    joined.lines().map(str::to_owned).collect()
}
