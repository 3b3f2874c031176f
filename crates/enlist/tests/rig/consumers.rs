//! Real programs that take devices in: nginx and mosquitto, started by the test and ended with it.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Rig, eventually, free_port};

/// A process that ends with the test.
pub struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Ended {
    pub fn is_at_work(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

/// An nginx that takes in devices, and says `hello` to them at `/` and, slowly, much more at `/slow`.
pub struct Nginx {
    process: Ended,
    dir: PathBuf,
    pub port: u16,
}

/// How long what `/slow` has is, and how much of it a second is sent.
pub const SLOW: usize = 40_000;
const RATE: usize = 4_000;

impl Nginx {
    /// With these lines about whom to take in. The certificate of its own is `broker.pem` in `work`.
    pub fn start(work: &Path, name: &str, consumer: &str) -> Self {
        let dir = work.join(name);
        fs::create_dir_all(dir.join("www")).unwrap();
        fs::write(dir.join("www/slow"), vec![b'.'; SLOW]).unwrap();
        let port = free_port();
        // Started by root it would give that up, and not read what the test's directory has.
        let user = match Command::new("id")
            .arg("-u")
            .output()
            .unwrap()
            .stdout
            .trim_ascii()
        {
            b"0" => "user root;",
            _ => "",
        };
        let configuration = format!(
            "{user} daemon off; pid {name}.pid; error_log error.log info; worker_processes 1;\n\
             events {{}}\n\
             http {{\n\
             access_log off; client_body_temp_path body; proxy_temp_path proxy;\n\
             fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
             server {{\n\
             listen 127.0.0.1:{port} ssl;\n\
             ssl_certificate ../broker.pem; ssl_certificate_key ../broker.key;\n\
             {consumer}\n\
             location / {{ return 200 hello; }}\n\
             location /slow {{ root www; limit_rate {RATE}; }}\n\
             }}\n}}\n"
        );
        fs::write(dir.join("nginx.conf"), configuration).unwrap();
        let process = spawn(
            "nginx",
            &["-p", ".", "-e", "error.log", "-c", "nginx.conf"],
            &dir,
        );
        eventually("nginx listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { process, dir, port }
    }

    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("error.log")).unwrap_or_default()
    }

    /// What a device that connects anew is told: the status, and the text.
    pub fn asks(&self, rig: &Rig, device: &str) -> String {
        rig.sh(&format!(
            "curl -sS -m 20 --cacert broker.pem --cert {device}_crt.pem --key {device}_key.pem \
                -w ' %{{http_code}}' -o answer https://localhost:{}/; cat answer",
            self.port
        ))
        .out
    }

    /// Whether a device that connects anew is let in. One that is not has to be told so: any other
    /// answer fails the test.
    #[track_caller]
    pub fn takes(&self, rig: &Rig, device: &str) -> bool {
        eventually("nginx has one worker that takes connections", || {
            self.has_one_worker()
        });
        let answer = self.asks(rig, device);
        match answer.trim().split_at(3) {
            ("200", "hello") => true,
            ("400", page) if page.contains("The SSL certificate error") => false,
            _ => panic!("{answer}: {}", self.log()),
        }
    }

    /// When it reads its configuration again, the worker of before takes connections for a moment yet, beside
    /// the new one: each logs when it does so no more.
    fn has_one_worker(&self) -> bool {
        let log = self.log();
        let times = |what: &str| log.matches(what).count();
        times(": gracefully shutting down") == times(": reconfiguring")
    }

    /// A connection of a device's that is kept.
    pub fn keep(&self, rig: &Rig, device: &str) -> Kept {
        let said = rig.work().join(format!("{device}.said"));
        let certificate = format!("{device}_crt.pem");
        let key = format!("{device}_key.pem");
        let process = rig
            .command("openssl")
            .args(["s_client", "-quiet", "-CAfile", "broker.pem", "-connect"])
            .arg(format!("localhost:{}", self.port))
            .args(["-cert", &certificate, "-key", &key])
            .stdin(Stdio::piped())
            .stdout(File::create(&said).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut kept = Kept {
            process: Ended(process),
            said,
            asked: 0,
        };
        kept.asks();
        kept
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers would outlive it if it were killed.
        let master = &mut self.process.0;
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(master),
            rustix::process::Signal::TERM,
        );
        for _ in 0..100 {
            if !matches!(master.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// A connection that a device keeps.
pub struct Kept {
    process: Ended,
    said: PathBuf,
    asked: usize,
}

impl Kept {
    /// Asks once more over the same connection, and has to be answered.
    #[track_caller]
    pub fn asks(&mut self) {
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        self.process
            .0
            .stdin
            .as_mut()
            .unwrap()
            .write_all(request)
            .unwrap();
        self.asked += 1;
        eventually("the kept connection is answered", || {
            let said = fs::read_to_string(&self.said).unwrap();
            said.matches("200 OK").count() == self.asked
        });
    }
}

/// A mosquitto that takes in devices.
pub struct Broker {
    process: Ended,
    log: PathBuf,
    pub port: u16,
}

impl Broker {
    /// With these lines about whom to take in. The certificate of its own is `broker.pem` in `work`.
    pub fn start(work: &Path, consumer: &str) -> Self {
        let port = free_port();
        let at = |name: &str| work.join(name).display().to_string();
        let configuration = format!(
            "allow_anonymous true\nuser root\nlistener {port} 127.0.0.1\n\
             certfile {}\nkeyfile {}\nlog_type all\nlog_dest stderr\n{consumer}",
            at("broker.pem"),
            at("broker.key"),
        );
        let dir = work.join("broker");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("mosquitto.conf"), configuration).unwrap();
        let process = spawn("mosquitto", &["-c", "mosquitto.conf"], &dir);
        eventually("mosquitto listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            process,
            log: dir.join("mosquitto.log"),
            port,
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether a device that connects anew is let in, and may say something.
    pub fn takes(&self, rig: &Rig, device: &str) -> bool {
        let ran = rig.sh(&format!(
            "timeout 20 mosquitto_pub -h localhost -p {} --cafile broker.pem \
                --cert {device}_crt.pem --key {device}_key.pem -t said -m hello",
            self.port
        ));
        assert_ne!(ran.status, 124, "no answer: {}", self.log());
        ran.status == 0
    }

    /// A device that is connected and listens; what it hears goes into `{device}.heard`.
    pub fn keep(&self, rig: &Rig, device: &str) -> Ended {
        let certificate = format!("{device}_crt.pem");
        let key = format!("{device}_key.pem");
        let heard = File::create(rig.work().join(format!("{device}.heard"))).unwrap();
        let process = rig
            .command("mosquitto_sub")
            .args(["-h", "localhost", "-p", &self.port.to_string()])
            .args([
                "--cafile",
                "broker.pem",
                "--cert",
                &certificate,
                "--key",
                &key,
            ])
            .args(["-i", device, "-t", "said"])
            .stdout(heard)
            .spawn()
            .unwrap();
        let client = Ended(process);
        eventually("it listens", || {
            self.log().contains(&format!("Sending SUBACK to {device}"))
        });
        client
    }
}

/// A TLS session of a device's with nginx, which is begun and resumed by `openssl s_client`.
pub struct Session<'a> {
    rig: &'a Rig,
    command: String,
}

impl<'a> Session<'a> {
    pub fn of(rig: &'a Rig, device: &str, nginx: &Nginx) -> Self {
        let command = format!(
            "(printf 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'; sleep 1) \
                | openssl s_client -connect localhost:{} -CAfile broker.pem \
                -cert {device}_crt.pem -key {device}_key.pem",
            nginx.port
        );
        Self { rig, command }
    }

    pub fn begins(&self) -> String {
        self.rig
            .ok(&format!("{} -sess_out session 2>&1", self.command))
    }

    pub fn resumes(&self) -> String {
        assert!(
            self.rig.work().join("session").exists(),
            "there is a session"
        );
        self.rig
            .ok(&format!("{} -sess_in session 2>&1", self.command))
    }
}

/// What stands in for systemd, which tests have none of.
pub fn systemctl(rig: &Rig, script: &str) {
    let path = rig.work().join("../bin/systemctl");
    fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A server's program: those live in a directory that is not in everybody's path.
fn spawn(program: &str, arguments: &[&str], dir: &Path) -> Ended {
    let log = File::create(dir.join(format!("{program}.log"))).unwrap();
    let process = Command::new(Path::new("/usr/sbin").join(program))
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Ended(process.unwrap())
}
