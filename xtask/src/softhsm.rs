//! The tests with the keys of CAs in a PKCS#11 token: SoftHSM2, one token for each process.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, in_ci, output, run, runner_variable, succeeds};

const LABEL: &str = "ca";
const PIN: &str = "7351-authority";

/// Runs tests so: all of the workspace's, or those that `args` choose for nextest.
///
/// # Errors
/// When one fails, or nextest or SoftHSM2 is missing.
pub(crate) fn suite(args: &[String]) -> Result<()> {
    if !succeeds("softhsm2-util", &["--version"]) || module().is_none() {
        if in_ci() {
            bail!("SoftHSM2 is not installed (Debian's package softhsm2)");
        }
        println!("skipped: SoftHSM2 is not installed (Debian's package softhsm2)");
        return Ok(());
    }
    // nextest has a process for each test, and the module reads its environment once a process.
    if !succeeds("cargo-nextest", &["nextest", "--version"]) {
        bail!("this takes cargo-nextest, which runs each test in a process of its own");
    }
    let this = std::env::current_exe().context("this program has no file")?;
    let runner = format!("{} with-token", this.display());
    let mut tests = cargo(["nextest", "run", "--locked", "--no-fail-fast"]);
    if args.is_empty() {
        tests.arg("--workspace");
    }
    run(tests.args(args).env(runner_variable()?, runner))
}

/// Runs a command whose servers keep the keys of their CAs in a token of its own.
///
/// # Errors
/// When there can be no token, or the command can't be run.
pub(crate) fn with_token(command: &[String]) -> Result<ExitCode> {
    let (program, args) = command.split_first().context("no command")?;
    let mut child = Command::new(program);
    child.args(args);
    // To name the tests takes no token.
    let token = if args.iter().any(|arg| arg == "--list") {
        None
    } else {
        Some(Token::make()?)
    };
    if let Some(token) = &token {
        child
            .env("SOFTHSM2_CONF", token.configuration())
            .env("ENLIST_CA_KEY_STORE", token.uri()?);
    }
    let status = child
        .status()
        .with_context(|| format!("can't run `{program}`"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// A token in a directory of its own, which goes with it.
struct Token(PathBuf);

impl Token {
    fn make() -> Result<Self> {
        let name = format!("enlist-ca-token-{}", std::process::id());
        let token = Self(std::env::temp_dir().join(name));
        let tokens = token.0.join("tokens");
        fs::create_dir_all(&tokens)?;
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(token.configuration(), configuration)?;
        let mut pin = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(token.pin())?;
        writeln!(pin, "{PIN}")?;
        output(
            Command::new("softhsm2-util")
                .args(["--init-token", "--free", "--label", LABEL])
                .args(["--so-pin", "8420-officer", "--pin", PIN])
                .env("SOFTHSM2_CONF", token.configuration()),
        )?;
        Ok(token)
    }

    fn configuration(&self) -> PathBuf {
        self.0.join("softhsm2.conf")
    }

    fn pin(&self) -> PathBuf {
        self.0.join("pin")
    }

    fn uri(&self) -> Result<String> {
        let module = module().context("SoftHSM2's module is nowhere to be found")?;
        Ok(format!(
            "pkcs11:token={LABEL}?module-path={}&pin-source=file:{}",
            module.display(),
            self.pin().display()
        ))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn module() -> Option<&'static Path> {
    [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ]
    .map(Path::new)
    .into_iter()
    .find(|path| path.exists())
}
