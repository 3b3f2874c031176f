//! A server that the device has every reason to believe, and that should not be believed.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use enlist_core::{Clock, SystemClock};
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerIdentity, server_config};
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyPurpose,
    KeyUse, PublicKey, Signer, SubjectName, sign_certificate,
};
use serde_json::Value;

/// What it answers: the path asked for and the body, and the bytes that go back.
pub type Answer = Box<dyn Fn(&str, &Value) -> Vec<u8> + Send + Sync>;

/// A CA of the rogue's, and a server below it on a port of its own.
pub struct Rogue {
    key: Arc<FileKey>,
    pub root: Certificate,
    pub address: String,
    answer: Arc<Mutex<Answer>>,
}

impl Rogue {
    pub fn start() -> Self {
        let key = Arc::new(FileKey::generate(KeyKind::P256).unwrap());
        let name = DistinguishedName::new(&[(Attribute::CommonName, "Rogue")]).unwrap();
        let ca = [
            &Extension::certificate_authority(None).unwrap(),
            &Extension::key_usage(&[KeyUse::CertificateSigning]).unwrap(),
        ];
        let root = certify(&key, &name, key.public_key(), &name, &ca);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silent: Answer = Box::new(|_, _| Vec::new());
        let rogue = Self {
            key,
            root,
            address,
            answer: Arc::new(Mutex::new(silent)),
        };
        let own = Arc::new(FileKey::generate(KeyKind::P256).unwrap());
        let here = [SubjectName::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        let leaf = rogue.issue(own.public_key(), KeyPurpose::ServerAuth, &here);
        let identity = Identity {
            chain: vec![leaf.to_rustls()],
            key: own,
        };
        let identity = Arc::new(ServerIdentity::new(identity).unwrap());
        let mut config = server_config(identity, Arc::new(SystemClock)).unwrap();
        config.alpn_protocols.clear();
        let (config, answer) = (Arc::new(config), rogue.answer.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (config, answer) = (config.clone(), answer.clone());
                // Whatever breaks here is what the device has to live with.
                thread::spawn(move || serve(client, config, &answer));
            }
        });
        rogue
    }

    pub fn answers(&self, answer: impl Fn(&str, &Value) -> Vec<u8> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    /// A certificate below the rogue's own root.
    pub fn issue(&self, key: &PublicKey, is: KeyPurpose, names: &[SubjectName]) -> Certificate {
        let name = DistinguishedName::new(&[(Attribute::CommonName, "rogue")]).unwrap();
        let extensions = [
            &Extension::key_purposes(&[is]).unwrap(),
            &Extension::subject_names(names).unwrap(),
        ];
        certify(&self.key, &self.root.subject(), key, &name, &extensions)
    }

    /// What signs below the rogue's root, for whoever has to do it later.
    pub fn issuer(&self) -> Self {
        Self {
            key: self.key.clone(),
            root: self.root.clone(),
            address: self.address.clone(),
            answer: self.answer.clone(),
        }
    }
}

fn certify(
    signer: &FileKey,
    issuer: &DistinguishedName,
    key: &PublicKey,
    subject: &DistinguishedName,
    extensions: &[&Extension],
) -> Certificate {
    let now = SystemClock.now().as_secs();
    let spec = CertificateSpec {
        serial: &[7],
        issuer,
        subject,
        public_key: key,
        not_before: now - 60,
        not_after: now + 24 * 3600,
        extensions,
    };
    sign_certificate(&spec, signer).unwrap()
}

fn serve(
    client: TcpStream,
    config: Arc<rustls::ServerConfig>,
    answer: &Mutex<Answer>,
) -> Option<()> {
    let limit = Some(Duration::from_secs(10));
    client.set_read_timeout(limit).ok()?;
    client.set_write_timeout(limit).ok()?;
    let tls = rustls::ServerConnection::new(config).ok()?;
    let mut stream = rustls::StreamOwned::new(tls, client);
    let mut asked = Vec::new();
    let (path, body) = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        asked.extend_from_slice(&piece[..read]);
        if let Some(whole) = request(&asked) {
            break whole;
        }
    };
    let reply = answer.lock().unwrap()(&path, &body);
    stream.write_all(&reply).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()?;
    stream.sock.shutdown(Shutdown::Both).ok()
}

/// Path and body, once all of it is there.
fn request(asked: &[u8]) -> Option<(String, Value)> {
    let text = String::from_utf8_lossy(asked);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    if body.len() < length.unwrap_or(0) {
        return None;
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Some((path, serde_json::from_str(body).unwrap_or_default()))
}

/// A switch in front of servers: who connects to it gets to the one it points at.
pub struct Switch {
    pub url: String,
    to: Arc<Mutex<String>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Switch {
    pub fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let switch = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            to: Arc::new(Mutex::new(address.to_owned())),
            open: Arc::default(),
        };
        let (to, open) = (switch.to.clone(), switch.open.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let target = to.lock().unwrap().clone();
                let Ok(server) = TcpStream::connect(target) else {
                    continue;
                };
                let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                open.lock().unwrap().extend(ends);
                let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(from, into));
                thread::spawn(move || pass(server, client));
            }
        });
        switch
    }

    /// Points at another server, and ends the connections to the one before.
    pub fn point(&self, address: &str) {
        address.clone_into(&mut self.to.lock().unwrap());
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut into: TcpStream) {
    let _ = std::io::copy(&mut from, &mut into);
    let _ = into.shutdown(Shutdown::Both);
}
