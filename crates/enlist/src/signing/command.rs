//! A command that holds a key.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use enlist_pki::{PublicKey, SignError, SignatureScheme, Signer};

/// How long a signature may take: a person may have to touch a token.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest signature.
const MAX_SIGNATURE: u64 = 4096;

/// A key that a command of the operators' signs with.
#[derive(Debug)]
pub struct CommandKey {
    command: String,
    public: PublicKey,
}

/// Why the command has not signed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the signing command can't be run")]
    Io(#[from] io::Error),
    #[error("the signing command failed: {0}")]
    Status(ExitStatus),
    #[error("the signing command took longer than {} s", PATIENCE.as_secs())]
    TooSlow,
    #[error(
        "what the signing command wrote is no signature by the key that it should sign with: it takes the bare bytes, ECDSA as DER"
    )]
    NoSignature,
}

impl CommandKey {
    /// The key `public`, whose other half `command` holds.
    pub fn new(command: String, public: PublicKey) -> Self {
        Self { command, public }
    }

    fn ask(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut child = shell(&self.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (told, answer) = mpsc::channel();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let input = message.to_vec();
        // Threads of their own, so that a command that neither reads nor ends is left in time. They end
        // with the command.
        std::thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                // A command that does not read it says so by its status.
                let _ = stdin.write_all(&input);
            }
        });
        std::thread::spawn(move || {
            let mut signature = Vec::new();
            let read = stdout.map(|out| out.take(MAX_SIGNATURE + 1).read_to_end(&mut signature));
            let _ = told.send(read.unwrap_or(Ok(0)).map(|_| signature));
        });
        let Ok(signature) = answer.recv_timeout(PATIENCE) else {
            end(&mut child);
            return Err(Failure::TooSlow);
        };
        let status = finish(&mut child)?;
        if !status.success() {
            return Err(Failure::Status(status));
        }
        let signature = signature?;
        self.public
            .verify(message, &signature)
            .map_err(|_| Failure::NoSignature)?;
        Ok(signature)
    }
}

impl Signer for CommandKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let kind = self.public.kind();
        if scheme != SignatureScheme::of(kind) {
            return Err(SignError::Unsupported { kind, scheme });
        }
        self.ask(message)
            .map_err(|failure| SignError::Failed(Box::new(failure)))
    }
}

/// The command, as the shell of this system reads it.
fn shell(command: &str) -> Command {
    let (shell, flag) = match cfg!(windows) {
        true => ("cmd", "/C"),
        false => ("sh", "-c"),
    };
    let mut shell = Command::new(shell);
    shell.args([flag, command]);
    shell
}

/// Waits a little for a command that has closed its output, and ends it then.
fn finish(child: &mut Child) -> io::Result<ExitStatus> {
    for _ in 0..100 {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    end(child);
    child.wait()
}

fn end(child: &mut Child) {
    // One that has just ended by itself can't be ended, which is as well.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use enlist_keys::FileKey;
    use enlist_pki::KeyKind;

    use super::*;

    fn failure(command: &str) -> String {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let key = CommandKey::new(command.to_owned(), key.public_key().clone());
        match key.sign(b"message") {
            Err(SignError::Failed(why)) => why.to_string(),
            other => panic!("{command}: {other:?}"),
        }
    }

    #[test]
    fn a_command_that_does_not_sign_is_told_of() {
        assert!(failure("exit 3").contains("exit status: 3"));
        assert!(failure("cat").contains("no signature"));
        assert!(failure("true").contains("no signature"));
        assert!(failure("no-such-program-anywhere 2>&1 >&2").contains("127"));
        assert!(failure("head -c 4500 /dev/zero").contains("no signature"));
    }
}
