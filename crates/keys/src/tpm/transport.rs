//! How bytes get to a TPM and back.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::store::TpmAddress;

/// How long a TPM behind a socket may take for one command. Chips take seconds to make a key.
/// For a character device the kernel's driver has limits of its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of a response that we read: what common TPMs report as their limit.
const LONGEST: usize = 4096;

/// Where responses say how long they are.
const HEADER: usize = 10;

/// A way to a TPM. Behind a socket it is closed to others while this is open.
pub(super) enum Transport {
    Device(File),
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Transport {
    pub fn open(address: &TpmAddress) -> io::Result<Self> {
        match address {
            TpmAddress::Machine => match device(Path::new(MANAGED)) {
                Err(error) if error.kind() == ErrorKind::NotFound => device(Path::new(BARE)),
                other => other,
            },
            TpmAddress::Device(path) => device(path),
            TpmAddress::SwtpmSocket(path) => UnixStream::connect(path).map(Self::Unix),
            TpmAddress::SwtpmTcp(name) => connect(name).map(Self::Tcp),
        }
    }

    /// Sends a command and reads its response.
    pub fn exchange(&mut self, command: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Device(file) => {
                // The driver takes a command in one piece and gives its response in one.
                file.write_all(command)?;
                let mut response = Zeroizing::new(vec![0; LONGEST]);
                let length = loop {
                    match file.read(&mut response) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        other => break other?,
                    }
                };
                response.truncate(length);
                Ok(response)
            }
            Self::Unix(stream) => {
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.write_all(command)?;
                read(stream, |stream, left| stream.set_read_timeout(Some(left)))
            }
            Self::Tcp(stream) => {
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.write_all(command)?;
                read(stream, |stream, left| stream.set_read_timeout(Some(left)))
            }
        }
    }
}

/// The kernel's resource manager, which keeps programs apart.
pub(super) const MANAGED: &str = "/dev/tpmrm0";
/// The chip itself, for one program at a time.
pub(super) const BARE: &str = "/dev/tpm0";

fn device(path: &Path) -> io::Result<Transport> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    Ok(Transport::Device(file))
}

fn connect(name: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in name.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Reads one response, all of it within the time limit.
fn read<S: Read>(
    stream: &mut S,
    limit: impl Fn(&S, Duration) -> io::Result<()>,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let deadline = Instant::now() + PATIENCE;
    let mut response = Zeroizing::new(vec![0; LONGEST]);
    let (mut have, mut want) = (0, HEADER);
    while have < want {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        limit(stream, left)?;
        match stream.read(&mut response[have..want]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if have == HEADER && want == HEADER {
            want = length(&response).ok_or(ErrorKind::InvalidData)?;
        }
    }
    response.truncate(have);
    Ok(response)
}

/// The length that a response says it has (TPM 2.0 Library, Part 1, section 18).
fn length(header: &[u8]) -> Option<usize> {
    let size: [u8; 4] = header.get(2..6)?.try_into().ok()?;
    let size = usize::try_from(u32::from_be_bytes(size)).ok()?;
    (HEADER..=LONGEST).contains(&size).then_some(size)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    /// Where tests run there is no character device to try.
    #[test]
    fn a_device_is_given_a_command_and_gives_its_response() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut device = Transport::Device(File::from(OwnedFd::from(ours)));
        let chip = std::thread::spawn(move || {
            let mut command = [0; 64];
            let length = theirs.read(&mut command).unwrap();
            theirs
                .write_all(&[0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1])
                .unwrap();
            command[..length].to_vec()
        });
        let response = device.exchange(&[0x80, 1, 0, 0, 0, 12]).unwrap();
        assert_eq!(response[..], [0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1]);
        assert_eq!(chip.join().unwrap(), [0x80, 1, 0, 0, 0, 12]);
        // The chip is gone.
        device.exchange(&[0x80]).unwrap_err();
    }
}
