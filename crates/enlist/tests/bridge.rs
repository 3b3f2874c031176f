//! A real mosquitto that bridges with a device's certificate goes on while that is renewed.
//!
//! mosquitto 2.0 reads the files of a bridge when it connects, and SIGHUP does not make it connect anew. So
//! the hook restarts it, as `systemctl restart mosquitto` does on a device. What programs say meanwhile waits
//! in its queue, and nothing is lost.

#![allow(clippy::unwrap_used)]

mod rig;

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rig::{Rig, eventually};

const RENEWALS: usize = 10;

#[test]
fn a_mosquitto_bridge_loses_nothing_across_ten_renewals() {
    if !installed() {
        return;
    }
    let rig = Rig::new();
    let work = rig.work();
    rig.ok("enlist add group sensors --enrollment open > secret.txt");
    rig.ok("enlist get anchor > anchor.pem");
    rig.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
            -subj /CN=localhost -addext subjectAltName=DNS:localhost \
            -keyout broker.key -out broker.pem 2>broker.log",
    );
    let export = work.join("credentials");
    let config = serde_json::json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": fs::read_to_string(rig.data().join("root.pem")).unwrap(),
        "group": "sensors",
        "device_enrollment_token": rig.read("secret.txt").trim(),
        "name": "sensor-1",
        "persistent_directory": work.join("agent"),
        "export_directory": export,
        "hooks": {"after_renew": [["/bin/sh", work.join("restart-bridge")]]},
    });
    rig.write("config.json", &config.to_string());
    let bridge = Bridge::new(&work);
    rig.write("restart-bridge", &bridge.restart());
    let agent = rig
        .command(rig::ENLIST)
        .args(["agent", "run", "-c", "config.json"])
        .stderr(File::create(work.join("agent.log")).unwrap())
        .spawn()
        .unwrap();
    let _agent = Ended(agent);
    let current = export.join("current");
    eventually("the agent exports its certificate", || {
        current.join("key.pem").exists()
    });
    let _shown = Shown(vec![
        work.join("agent.log"),
        work.join("bridge-mosquitto.log"),
    ]);

    let broker = Broker::start(&work);
    bridge.start(broker.tls, &current);
    let heard = rig
        .command("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &broker.plain.to_string()])
        .args(["-t", "t", "-q", "1", "-W", "120", "-C"])
        .arg((RENEWALS + 1).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let connections = || {
        read(&work.join("broker-mosquitto.log"))
            .matches("as device-bridge")
            .count()
    };
    eventually("the bridge connects", || connections() == 1);
    let subscribed = || read(&work.join("broker-mosquitto.log")).contains("SUBACK");
    eventually("somebody listens", subscribed);

    let publish = |text: &str| {
        rig.ok(&format!(
            "timeout 20 mosquitto_pub -h 127.0.0.1 -p {} -q 1 -t t -m {text}",
            bridge.port
        ));
    };
    publish("renewal-0");
    for renewal in 1..=RENEWALS {
        let before = serial(&current);
        rig.ok("enlist-agent renew -c config.json");
        eventually("the new certificate is exported", || {
            serial(&current) != before
        });
        eventually("the bridge takes it up", || connections() > renewal);
        publish(&format!("renewal-{renewal}"));
        std::thread::sleep(Duration::from_secs(1));
    }
    let heard = heard.wait_with_output().unwrap();
    let heard = String::from_utf8(heard.stdout).unwrap();
    let expected: Vec<_> = (0..=RENEWALS).map(|n| format!("renewal-{n}")).collect();
    assert_eq!(
        heard.lines().collect::<Vec<_>>(),
        expected,
        "nothing is lost"
    );
    // The broker knows it by its certificate, each time.
    let log = read(&work.join("broker-mosquitto.log"));
    assert_eq!(log.matches("u'sensor-1'").count(), connections(), "{log}");
    assert!(!log.contains("OpenSSL Error"), "{log}");
}

fn installed() -> bool {
    let there = Path::new("/usr/sbin/mosquitto").exists()
        && Command::new("mosquitto_sub").arg("--help").output().is_ok();
    if !there {
        let note = "mosquitto and mosquitto_sub are not installed";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
        eprintln!("skipped: {note}");
    }
    there
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The directory that the export's link leads to, which is called by the serial number.
fn serial(current: &Path) -> PathBuf {
    fs::read_link(current).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Logs that are shown when the test fails.
struct Shown(Vec<PathBuf>);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for path in &self.0 {
                eprintln!("--- {}:\n{}", path.display(), read(path));
            }
        }
    }
}

fn mosquitto(dir: &Path, name: &str, port: u16, configuration: &str) -> Ended {
    let file = format!("{name}.conf");
    fs::write(dir.join(&file), configuration).unwrap();
    let log = File::create(dir.join(format!("{name}-mosquitto.log"))).unwrap();
    let process = Command::new("/usr/sbin/mosquitto")
        .args(["-v", "-c", &file])
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let process = Ended(process);
    eventually("mosquitto listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    process
}

/// The broker that takes devices in by their certificates; and on another port whoever looks on.
struct Broker {
    _process: Ended,
    tls: u16,
    plain: u16,
}

impl Broker {
    fn start(dir: &Path) -> Self {
        let (tls, plain) = (free_port(), free_port());
        let at = |name: &str| dir.join(name).display().to_string();
        let configuration = format!(
            "per_listener_settings true\nuser root\n\
             listener {plain} 127.0.0.1\nallow_anonymous true\n\
             listener {tls} 127.0.0.1\nallow_anonymous true\nrequire_certificate true\n\
             use_identity_as_username true\ncafile {}\ncertfile {}\nkeyfile {}\n",
            at("anchor.pem"),
            at("broker.pem"),
            at("broker.key"),
        );
        Self {
            _process: mosquitto(dir, "broker", tls, &configuration),
            tls,
            plain,
        }
    }
}

/// The mosquitto of the device, which passes on what programs there say.
struct Bridge {
    dir: PathBuf,
    port: u16,
}

impl Bridge {
    fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            port: free_port(),
        }
    }

    fn at(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// What stands in for `systemctl restart mosquitto`. Before it is configured there is nothing to do.
    fn restart(&self) -> String {
        let (configuration, pid) = (self.at("bridge.conf"), self.at("bridge.pid"));
        format!(
            "[ -f {configuration} ] || exit 0\n\
             if pid=$(cat {pid} 2>/dev/null); then\n\
             kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done\nfi\n\
             exec /usr/sbin/mosquitto -d -v -c {configuration}\n"
        )
    }

    fn start(&self, broker: u16, credentials: &Path) {
        let port = self.port;
        let given = |name: &str| credentials.join(name).display().to_string();
        let configuration = format!(
            "user root\nallow_anonymous true\nlistener {port} 127.0.0.1\npid_file {pid}\nlog_dest file {log}\n\
             persistence true\npersistence_location {work}/\n\
             connection up\naddress localhost:{broker}\ntopic # out 1\nremote_clientid device-bridge\n\
             cleansession false\nrestart_timeout 1\ntry_private false\n\
             bridge_cafile {ca}\nbridge_certfile {certificate}\nbridge_keyfile {key}\n",
            pid = self.at("bridge.pid"),
            log = self.at("bridge-mosquitto.log"),
            work = self.dir.display(),
            ca = self.at("broker.pem"),
            certificate = given("certificate.pem"),
            key = given("key.pem"),
        );
        fs::write(self.dir.join("bridge.conf"), configuration).unwrap();
        let script = self.at("restart-bridge");
        let started = Command::new("/bin/sh").arg(script).status().unwrap();
        assert!(started.success());
        eventually("the bridge listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let pid = read(&self.dir.join("bridge.pid"));
        if let Some(pid) = pid
            .trim()
            .parse()
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
