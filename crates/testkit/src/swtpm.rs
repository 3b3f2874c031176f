//! A TPM 2.0 of a test's own: swtpm over a socket, as blank as from the factory, and gone with
//! the process that started it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A software TPM. It is stopped and its state removed when this is dropped; stopped also when
/// the process ends in whatever way, since a shell keeps watch over it.
#[derive(Debug)]
pub struct Swtpm {
    directory: TempDir,
    listening: Listening,
    startup: &'static str,
    watch: Option<Child>,
    maker: Option<TempDir>,
}

#[derive(Debug, Clone)]
enum Listening {
    Socket(PathBuf),
    Port(u16),
}

/// Runs swtpm until standard input ends.
const WATCH: &str = r#"
trap '' INT TERM HUP
"$@" </dev/null &
tpm=$!
cat >/dev/null
kill -KILL $tpm
wait $tpm
"#;

/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

impl Swtpm {
    /// Starts one behind a Unix socket. `None`, with a note on standard error, where swtpm is
    /// not installed.
    ///
    /// # Panics
    /// When it does not start; or when it is not installed, and `CI=true` says that it must be.
    pub fn start() -> Option<Self> {
        Self::new(false, "not-need-init,startup-clear")
    }

    /// The same behind a TCP port of the loopback interface.
    ///
    /// # Panics
    /// As [`Swtpm::start`].
    pub fn start_tcp() -> Option<Self> {
        Self::new(true, "not-need-init,startup-clear")
    }

    /// As [`Swtpm::start`], but without the `TPM2_Startup` that firmware would send.
    ///
    /// # Panics
    /// As [`Swtpm::start`].
    pub fn start_unstarted() -> Option<Self> {
        Self::new(false, "not-need-init")
    }

    /// The same, as it comes from a manufacturer of its own: with certificates of its endorsement keys,
    /// RSA and P-384.
    ///
    /// # Panics
    /// As [`Swtpm::start`], and when it can't be manufactured.
    pub fn start_endorsed() -> Option<Self> {
        if !crate::installed("swtpm_setup", "swtpm-tools") {
            return None;
        }
        let mut tpm = Self::start()?;
        tpm.maker = Some(directory());
        tpm.replace();
        Some(tpm)
    }

    /// The CAs of its manufacturer, PEM, the root first; empty unless it is one of
    /// [`Swtpm::start_endorsed`].
    ///
    /// # Panics
    /// When they can't be read.
    pub fn manufacturer(&self) -> Vec<String> {
        let read = |maker: &TempDir, name| {
            std::fs::read_to_string(maker.path().join(name)).expect("it can be read")
        };
        self.maker.as_ref().map_or_else(Vec::new, |maker| {
            [ROOT, ISSUER].map(|name| read(maker, name)).into()
        })
    }

    fn new(tcp: bool, startup: &'static str) -> Option<Self> {
        if !crate::installed("swtpm", "swtpm") {
            return None;
        }
        let directory = directory();
        let listening = if tcp {
            // Free a moment ago; whoever takes it in between fails the start.
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
            Listening::Port(free.local_addr().expect("it is bound").port())
        } else {
            Listening::Socket(directory.path().join("socket"))
        };
        let mut tpm = Self {
            directory,
            listening,
            startup,
            watch: None,
            maker: None,
        };
        tpm.bring_back();
        Some(tpm)
    }

    /// What to write as `key_store` for it.
    pub fn key_store(&self) -> String {
        match &self.listening {
            Listening::Socket(path) => format!("tpm:swtpm={}", path.display()),
            Listening::Port(port) => format!("tpm:swtpm=127.0.0.1:{port}"),
        }
    }

    /// Ends it as a power cut does: what is persistent stays.
    ///
    /// # Panics
    /// When its end can't be waited for.
    pub fn stop(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            watch.wait().expect("the shell ends");
        }
        if let Listening::Socket(path) = &self.listening {
            let _ = std::fs::remove_file(path);
        }
        let _ = std::fs::remove_file(self.directory.path().join("socket.ctrl"));
    }

    /// Starts it again after [`Swtpm::stop`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn bring_back(&mut self) {
        self.stop();
        let server = match &self.listening {
            Listening::Socket(path) => format!("type=unixio,path={}", path.display()),
            Listening::Port(port) => format!("type=tcp,port={port}"),
        };
        let state = self.directory.path().display();
        let watch = Command::new("sh")
            .args(["-c", WATCH, "watch", "swtpm", "socket", "--tpm2"])
            .args(["--flags", self.startup, "--server", &server, "--ctrl"])
            // Where tpm2-tools look for it.
            .arg(format!("type=unixio,path={state}/socket.ctrl"))
            .arg("--tpmstate")
            .arg(format!("dir={state}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell can be started");
        self.watch = Some(watch);
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.connect() {
            assert!(Instant::now() < deadline, "swtpm does not start: {error}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Puts the TPM of another board in its place, of the same manufacturer if it has one.
    ///
    /// # Panics
    /// When it does not start, or the state of the old one can't be removed.
    pub fn replace(&mut self) {
        self.stop();
        for entry in self.directory.path().read_dir().expect("it is there") {
            let path = entry.expect("it can be read").path();
            std::fs::remove_file(path).expect("it can be removed");
        }
        if let Some(maker) = &self.maker {
            manufacture(maker.path(), self.directory.path());
        }
        self.bring_back();
    }

    /// How many objects are loaded and were not flushed.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn transient(&self) -> usize {
        self.handles(0x8000_0000).len()
    }

    /// The handles of its persistent objects.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn persistent(&self) -> Vec<u32> {
        self.handles(0x8100_0000)
    }

    /// Sends it a command, byte for byte, and returns its response.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn raw(&self, command: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().expect("swtpm takes connections");
        stream.write_all(command).expect("it takes a command");
        let mut response = vec![0; 4096];
        let length = stream.read(&mut response).expect("it answers");
        response.truncate(length);
        response
    }

    /// `TPM2_GetCapability(TPM_CAP_HANDLES)`.
    fn handles(&self, first: u32) -> Vec<u32> {
        let mut command = vec![0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 1];
        command.extend(first.to_be_bytes());
        command.extend(254u32.to_be_bytes());
        let response = self.raw(&command);
        let code = response.get(6..10).expect("a response has a code");
        assert_eq!(code, [0; 4], "it lists its handles");
        // More data, the capability and the number of handles stand before them.
        response[19..]
            .as_chunks()
            .0
            .iter()
            .map(|handle| u32::from_be_bytes(*handle))
            .collect()
    }

    fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match &self.listening {
            Listening::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Box::new(stream)
            }
            Listening::Port(port) => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                if stream.local_addr()? == stream.peer_addr()? {
                    // To oneself: nobody else listens yet.
                    return Err(ErrorKind::ConnectionRefused.into());
                }
                Box::new(stream)
            }
        })
    }
}

/// The manufacturer's CAs, by the names that swtpm gives them.
const ROOT: &str = "swtpm-localca-rootca-cert.pem";
const ISSUER: &str = "issuercert.pem";

/// Makes the state of a TPM with certificates of the manufacturer whose CAs are, or will be, in `maker`.
fn manufacture(maker: &Path, state: &Path) {
    let write = |name: &str, text: String| {
        let path = maker.join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let maker = maker.display();
    let ca = write(
        "localca.conf",
        format!(
            "statedir = {maker}\nsigningkey = {maker}/signkey.pem\nissuercert = {maker}/{ISSUER}\n\
             certserial = {maker}/certserial\n"
        ),
    );
    let about = "--platform-manufacturer Maker\n--platform-version 1\n--platform-model Board\n";
    let about = write("localca.options", about.into());
    let setup = write(
        "setup.conf",
        format!(
            "create_certs_tool=swtpm_localca\ncreate_certs_tool_config={ca}\n\
             create_certs_tool_options={about}\n"
        ),
    );
    let made = Command::new("swtpm_setup")
        .args(["--tpm2", "--create-ek-cert", "--config", &setup])
        .arg("--tpmstate")
        .arg(state)
        .output()
        .expect("swtpm_setup can be started");
    let words = String::from_utf8_lossy(&made.stdout);
    assert!(made.status.success(), "swtpm_setup: {words}");
}

fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("enlist-swtpm-")
        .tempdir()
        .expect("a temporary directory can be made")
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.stop();
    }
}
