//! A real enrollment, by an agent for another machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, output, root, run};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// Starts a server of this machine and has the agent enroll, renew and tell about itself. `agent` is the
/// command that runs it, but for its arguments.
///
/// # Errors
/// When it does not.
pub(crate) fn enroll(name: &str, agent: impl Fn() -> Command) -> Result<()> {
    run(&mut cargo(["build", "--locked", "--package", "enlist"]))?;
    let place = Place::new(name)?;
    let _server = Server::start(&place)?;
    place.enlist(&["add", "group", "trial", "--enrollment", "open"])?;
    place.enlist(&[
        "gen-device-config",
        "--device-name=trial",
        "--enrollment-type=group-enroll",
        &format!("--persist={}", place.path("device").display()),
        "-g",
        "trial",
        "--config-path",
        &place.path("config.json").display().to_string(),
    ])?;
    for verb in ["provision", "renew", "status"] {
        let answer = output(
            agent()
                .args([verb, "-o", "json", "-c"])
                .arg(place.path("config.json")),
        )?;
        println!("{verb}: {}", String::from_utf8_lossy(&answer).trim());
    }
    let devices = place.enlist(&["get", "devices", "-g", "trial", "-o", "json"])?;
    if !devices.contains("\"active\"") {
        bail!("the server knows of no active device: {devices}");
    }
    Ok(())
}

/// Prints how large a binary is.
///
/// # Errors
/// When it is not there.
pub(crate) fn tell_size(name: &str, binary: &Path) -> Result<()> {
    let size = fs::metadata(binary)?.len();
    #[allow(clippy::cast_precision_loss, reason = "a size to look at")]
    let mib = size as f64 / (1024.0 * 1024.0);
    println!("{name}: {mib:.2} MiB");
    Ok(())
}

/// A directory of this trial's own, gone after it.
struct Place {
    directory: PathBuf,
}

impl Place {
    fn new(name: &str) -> Result<Self> {
        let directory = std::env::temp_dir().join(format!("enlist-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The CLI, told where the server is.
    fn enlist(&self, words: &[&str]) -> Result<String> {
        let address = fs::read_to_string(self.path("address"))?;
        let token = fs::read_to_string(self.path("data/admin.token"))?;
        let printed = output(
            enlist()
                .args(words)
                .env("ENLIST_SERVER", address.trim())
                .env("ENLIST_CA", self.path("data/root.pem"))
                .env("ENLIST_TOKEN", token.trim()),
        )?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left lies in the directory for such things.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A server, ended when this goes.
struct Server(Child);

impl Server {
    fn start(place: &Place) -> Result<Self> {
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        fs::write(place.path("address"), format!("https://{address}"))?;
        let child = enlist()
            .args(["serve", "--listen", &address, "--data"])
            .arg(place.path("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("can't start the server")?;
        let server = Self(child);
        let start = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            if start.elapsed() > START {
                bail!("the server does not answer at {address}");
            }
            sleep(Duration::from_millis(100));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn enlist() -> Command {
    Command::new(root().join("target/debug/enlist"))
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
