//! Devices that enroll and renew, each as the agent does: the same request until it is answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use enlist_core::{DeviceToken, Rng, SystemRng};
use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{Certificate, KeyKind, csr};
use enlist_wire::{
    Binary, Client, ClientError, EnrollReply, EnrollRequest, Enrolled, Problem, RenewRequest, Uuid,
};

use super::site::{Server, Site};

/// Devices that ask at the same time.
const AT_ONCE: usize = 24;
/// No device waits for longer, whatever happens.
const PATIENCE: Duration = Duration::from_secs(60);

/// Devices that have made their keys, and have not asked yet.
pub struct Crowd {
    group: String,
    devices: Vec<Device>,
    /// Whether they wait to be called.
    waits: bool,
}

struct Device {
    request: EnrollRequest,
    key: Arc<FileKey>,
    next_key: Arc<FileKey>,
    renewal: Uuid,
}

/// What a device was told that it has.
pub struct Held {
    pub name: String,
    pub device_id: Uuid,
    /// SHA-256 over the DER encoding of each of its certificates, hexadecimal.
    pub fingerprints: Vec<String>,
}

/// How far a crowd has come.
#[derive(Default)]
pub struct Progress {
    next: AtomicUsize,
    /// So many devices may ask.
    called: AtomicUsize,
    answers: AtomicUsize,
    /// Why requests came to nothing: slugs, or what else it was.
    setbacks: Mutex<BTreeSet<String>>,
}

impl Progress {
    /// Certificates that were acknowledged.
    pub fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// Why requests have come to nothing so far: slugs, and `unreachable`.
    pub fn setbacks(&self) -> BTreeSet<String> {
        self.setbacks.lock().unwrap().clone()
    }

    /// Waits until a request was refused with this slug.
    #[track_caller]
    pub fn wait_for_refusal(&self, slug: &str) {
        let begun = Instant::now();
        while !self.setbacks().contains(slug) {
            let waited = begun.elapsed();
            assert!(waited < PATIENCE, "{slug}: only {:?}", self.setbacks());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets that many more devices of a crowd ask that waits to be called.
    pub fn call(&self, more: usize) {
        self.called.fetch_add(more, Ordering::SeqCst);
    }

    fn has_failed(&self, error: &ClientError) {
        let what = error.problem().map_or("unreachable", Problem::slug);
        self.setbacks.lock().unwrap().insert(what.to_owned());
    }

    /// Waits for that many more certificates.
    #[track_caller]
    pub fn wait_for(&self, more: usize) {
        let (begun, wanted) = (Instant::now(), self.answers() + more);
        while self.answers() < wanted {
            let waited = begun.elapsed();
            assert!(waited < PATIENCE, "{} of {wanted}", self.answers());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Crowd {
    /// So many devices of an open group with this secret.
    pub fn new(group: &str, secret: &str, devices: usize) -> Self {
        let device = |number| {
            let key = || Arc::new(FileKey::generate(KeyKind::P256).unwrap());
            let (key, next_key) = (key(), key());
            let request = EnrollRequest {
                tenant: "default".to_owned(),
                group: group.to_owned(),
                secret: Some(secret.to_owned().into()),
                name: Some(format!("device-{number}")),
                hardware: None,
                attestation: None,
                csr: Binary(csr::build(&*key, "device").unwrap()),
                device_token: DeviceToken::generate(&SystemRng).expose().to_owned().into(),
                certificate_ttl_h: None,
            };
            Device {
                request,
                key,
                next_key,
                renewal: Uuid::from_bytes(random()),
            }
        };
        Self {
            group: group.to_owned(),
            devices: (0..devices).map(device).collect(),
            waits: false,
        }
    }

    /// Has its devices wait until they are called, or the harm is done: however fast they are, there are
    /// some left for the next blow.
    pub fn that_waits(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    pub fn group(&self) -> &str {
        &self.group
    }

    /// All devices enroll and renew once, by whichever of the servers answers, while `harm` is done.
    /// Returns once each of them has what it asked for.
    pub fn comes(
        &self,
        site: &Site,
        servers: &[String],
        harm: impl FnOnce(&Progress),
    ) -> Vec<Held> {
        let progress = Progress::default();
        let doors = Doors::new(site, servers);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        let mut held = Vec::new();
                        loop {
                            let number = progress.next.fetch_add(1, Ordering::SeqCst);
                            let Some(device) = self.devices.get(number) else {
                                return held;
                            };
                            while self.waits && number >= progress.called.load(Ordering::SeqCst) {
                                thread::sleep(Duration::from_millis(10));
                            }
                            held.push(doors.let_in(device, number, &progress));
                        }
                    })
                })
                .collect();
            let everybody = CallsAll(&progress, self.devices.len());
            harm(&progress);
            drop(everybody);
            let each = threads.into_iter().flat_map(|one| one.join().unwrap());
            each.collect()
        })
    }
}

/// Calls everybody in the end, also where the harm has failed.
struct CallsAll<'a>(&'a Progress, usize);

impl Drop for CallsAll<'_> {
    fn drop(&mut self) {
        self.0.call(self.1);
    }
}

/// The servers, as a load balancer would offer them.
struct Doors<'a> {
    site: &'a Site,
    urls: &'a [String],
    strangers: Vec<Client>,
}

impl<'a> Doors<'a> {
    fn new(site: &'a Site, urls: &'a [String]) -> Self {
        let stranger = |url: &String| site.device_client(url, None);
        Self {
            site,
            urls,
            strangers: urls.iter().map(stranger).collect(),
        }
    }

    fn let_in(&self, device: &Device, number: usize, progress: &Progress) -> Held {
        let name = device.request.name.clone().unwrap();
        let enrolled = self.insist(&name, number, progress, |door| {
            match self.strangers[door].enroll(&device.request)? {
                EnrollReply::Enrolled(enrolled) => Ok(*enrolled),
                EnrollReply::Pending(_) => panic!("nobody has to wait in an open group"),
            }
        });
        let identity = || Identity {
            chain: vec![certificate(&enrolled).to_rustls()],
            key: device.key.clone(),
        };
        let request = RenewRequest {
            device_id: enrolled.device_id,
            csr: Binary(csr::build(&*device.next_key, "device").unwrap()),
            counter: 1,
            request_id: device.renewal,
            certificate_ttl_h: None,
            proof: None,
        };
        let renewed = self.insist(&name, number + 1, progress, |door| {
            let client = self.site.device_client(&self.urls[door], Some(identity()));
            client.renew(&request)
        });
        assert_eq!(renewed.device_id, enrolled.device_id, "{name}");
        let fingerprints = [&enrolled, &renewed].map(|one| certificate(one).fingerprint_hex());
        Held {
            name,
            device_id: enrolled.device_id,
            fingerprints: fingerprints.into(),
        }
    }

    /// Asks one server after the other until one has an answer.
    fn insist<T>(
        &self,
        name: &str,
        first: usize,
        progress: &Progress,
        ask: impl Fn(usize) -> Result<T, ClientError>,
    ) -> T {
        let begun = Instant::now();
        let mut turn = first;
        loop {
            let error = match ask(turn % self.urls.len()) {
                Ok(answer) => {
                    progress.answers.fetch_add(1, Ordering::SeqCst);
                    return answer;
                }
                Err(error) => error,
            };
            progress.has_failed(&error);
            let passes = error
                .problem()
                .is_none_or(|problem| problem.retry_after_s.is_some());
            let in_time = begun.elapsed() < PATIENCE;
            assert!(passes && in_time, "{name}: {error:?}");
            turn += 1;
            thread::sleep(Duration::from_millis(30 + u64::from(random::<1>()[0])));
        }
    }
}

/// The URLs of these servers.
pub fn urls(servers: &[&Server<'_>]) -> Vec<String> {
    servers.iter().map(|server| server.url.clone()).collect()
}

fn certificate(enrolled: &Enrolled) -> Certificate {
    Certificate::from_pem(&enrolled.certificate).unwrap()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRng.fill(&mut bytes);
    bytes
}
