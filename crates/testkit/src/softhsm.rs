//! A PKCS#11 token of a test's own: SoftHSM2 over a temporary directory.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A token labelled `device`, with its PIN in a file. Programs find it through
/// [`SoftHsm::environment`]; it is removed when this is dropped.
#[derive(Debug)]
pub struct SoftHsm {
    directory: PathBuf,
    _owned: Option<TempDir>,
}

/// Where the module reads what its tokens are.
const CONFIGURATION: &str = "SOFTHSM2_CONF";

const PIN: &str = "7351-device";

impl SoftHsm {
    /// Makes one. `None`, with a note on standard error, where SoftHSM2 is not installed.
    ///
    /// # Panics
    /// When it can't be made; or when it is not installed, and `CI=true` says that it must be.
    pub fn start() -> Option<Self> {
        if !crate::installed("softhsm2-util", "softhsm2") {
            return None;
        }
        let owned = tempfile::Builder::new()
            .prefix("enlist-softhsm-")
            .tempdir()
            .expect("a temporary directory can be made");
        let token = Self {
            directory: owned.path().to_owned(),
            _owned: Some(owned),
        };
        fs::create_dir(token.tokens()).expect("it is empty");
        let tokens = token.tokens();
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(token.configuration(), configuration).expect("it can be written");
        token.set_pin(PIN);
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "device"])
            .args(["--so-pin", "8420-officer", "--pin", PIN])
            .envs([token.environment()])
            .output()
            .expect("softhsm2-util can be run");
        assert!(
            made.status.success(),
            "no token can be made: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Some(token)
    }

    /// Runs `story` in a process that sees a token: the module reads its environment, which a
    /// running process can't change safely, so the calling test, whose whole name is `test`, is
    /// run once more in a process of its own.
    ///
    /// # Panics
    /// When the story fails, or `test` is not the name of the caller.
    pub fn in_process(test: &str, story: impl FnOnce(&Self)) {
        if let Some(configuration) = std::env::var_os(CONFIGURATION)
            && let Some(directory) = Path::new(&configuration).parent()
            && directory.join(ASKED).exists()
        {
            story(&Self {
                directory: directory.to_owned(),
                _owned: None,
            });
            fs::write(directory.join(TOLD), "").expect("it can be written");
            return;
        }
        let Some(token) = Self::start() else { return };
        fs::write(token.directory.join(ASKED), "").expect("it can be written");
        let told = Command::new(std::env::current_exe().expect("a test has a file"))
            .args([test, "--exact", "--nocapture"])
            .envs([token.environment()])
            // The story says itself where the keys of CAs are: one token is all that it sees.
            .env_remove("ENLIST_CA_KEY_STORE")
            .status()
            .expect("a test can be run");
        assert!(told.success(), "{test} fails with the token");
        assert!(token.directory.join(TOLD).exists(), "no test is {test}");
    }

    /// What to write as `key_store` for it.
    ///
    /// # Panics
    /// When the module is nowhere to be found.
    pub fn key_store(&self) -> String {
        format!(
            "pkcs11:token=device?module-path={}&pin-source=file:{}",
            Self::module().display(),
            self.pin_file().display()
        )
    }

    /// The variable that programs need to see the token.
    pub fn environment(&self) -> (&'static str, PathBuf) {
        (CONFIGURATION, self.configuration())
    }

    /// The file with the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.directory.join("pin")
    }

    /// The token's right PIN.
    pub fn pin(&self) -> &'static str {
        PIN
    }

    /// Writes another PIN into the file, right or wrong.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn set_pin(&self, pin: &str) {
        let _ = fs::remove_file(self.pin_file());
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.pin_file());
        let mut file = file.expect("it can be made");
        std::io::Write::write_all(&mut file, format!("{pin}\n").as_bytes())
            .expect("it can be written");
    }

    /// Pulls the token out.
    ///
    /// # Panics
    /// When it is out already.
    pub fn unplug(&self) {
        fs::rename(self.tokens(), self.directory.join("unplugged")).expect("it is plugged in");
        fs::create_dir(self.tokens()).expect("nothing is there now");
    }

    /// Plugs it in again.
    ///
    /// # Panics
    /// When it is in already.
    pub fn plug_in(&self) {
        fs::remove_dir_all(self.tokens()).expect("it is there");
        fs::rename(self.directory.join("unplugged"), self.tokens()).expect("it is unplugged");
    }

    /// Has everybody hang who logs into it from now on, until [`SoftHsm::resume`]. Who is logged in stays
    /// so, unless the token is pulled out in between.
    ///
    /// # Panics
    /// When it can't be made to.
    pub fn hang(&self) {
        let _ = fs::remove_file(self.pin_file());
        let made = Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(self.pin_file())
            .status();
        assert!(made.is_ok_and(|made| made.success()), "no pipe can be made");
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not hang.
    pub fn resume(&self) {
        let pipe = self.directory.join("hung");
        fs::rename(self.pin_file(), &pipe).expect("it hangs");
        self.set_pin(PIN);
        // Those who hang come away with nothing.
        let _ = Command::new("timeout")
            .args(["1", "sh", "-c", ": > \"$0\""])
            .arg(&pipe)
            .status();
        fs::remove_file(&pipe).expect("it is there");
    }

    /// The module, which Debian keeps in a directory of the architecture's or of its own.
    ///
    /// # Panics
    /// When it is nowhere.
    pub fn module() -> PathBuf {
        let places = [
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
        ];
        let found = places.iter().map(PathBuf::from).find(|path| path.exists());
        found.expect("softhsm2-util comes with its module")
    }

    fn tokens(&self) -> PathBuf {
        self.directory.join("tokens")
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("softhsm2.conf")
    }
}

/// Says that the directory is that of [`SoftHsm::in_process`].
const ASKED: &str = "asked";
/// Says that the story was told to its end.
const TOLD: &str = "told";
