use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Clock, SystemClock, SystemRng, Timestamp};
use enlist_keys::tls::{self, PresentedChain};
use enlist_wire::{Client, ClientError};

use crate::config::Configuration;
use crate::disk::{FileDisk, Keys, Vault};
use crate::explain;
use crate::machine::{Identity, State};
use crate::time::built_at;
use crate::trust::Trusted;
use crate::wipe;

/// No part of the examination takes longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A device, and what was found out about it before the checks judge it.
pub(super) struct Patient {
    pub configuration: Configuration,
    /// What is kept, with its keys where the key store opens.
    pub vault: Vault<FileDisk>,
    /// Why the key store does not open.
    pub no_keys: Option<String>,
    /// How far the device has come; or why that does not read.
    pub state: Result<Option<State>, String>,
    /// Whether a wipe is under way.
    pub wiping: bool,
    pub now: Timestamp,
    /// Time that has certainly been reached.
    pub floor: Timestamp,
    pub trusted: Trusted,
    /// The server's address, or why there is none.
    pub reached: Result<SocketAddr, Unreached>,
    /// What the server said, dates aside.
    pub greeting: Option<Greeting>,
}

/// Why the server was not reached.
pub(super) enum Unreached {
    /// The address in the configuration is none.
    Address,
    /// The name leads nowhere.
    Name { host: String, why: String },
    /// Nobody listens there, or something is in between.
    Connection { to: SocketAddr, why: String },
}

/// One exchange with the server, for the time.
pub(super) struct Greeting {
    pub time: Result<Timestamp, ClientError>,
    pub chain: Arc<PresentedChain>,
}

impl Patient {
    pub fn new(configuration: Configuration) -> Self {
        let directory = &configuration.persistent_directory;
        let look = || FileDisk::look(directory);
        let (store, kind) = (&configuration.key_store, configuration.key_kind);
        let (vault, no_keys) = match Keys::open(store, kind, directory, Arc::new(SystemRng)) {
            Ok(keys) => (Vault::with_keys(look(), keys), None),
            Err(error) => (Vault::new(look()), Some(explain(&error))),
        };
        let state = vault.state().map_err(|error| explain(&error));
        let wiping = wipe::is_under_way(vault.disk()).unwrap_or(false);
        let kept = vault.floor().ok().flatten();
        let anchors = vault.anchors().ok().flatten();
        let trusted = Trusted::new(&configuration, anchors.as_deref());
        let now = SystemClock.now();
        let reached = reach(&configuration);
        let greeting = match reached {
            Ok(_) => greet(&configuration, &trusted),
            Err(_) => None,
        };
        Self {
            vault,
            no_keys,
            state,
            wiping,
            now,
            floor: kept.map_or(built_at(), |kept| kept.max(built_at())),
            trusted,
            reached,
            greeting,
            configuration,
        }
    }

    /// Who the device is, once it is enrolled.
    pub fn identity(&self) -> Option<&Identity> {
        self.state.as_ref().ok()?.as_ref()?.identity()
    }

    /// How long an exchange with the server may take here.
    pub fn timeout(&self) -> Duration {
        self.configuration.network_timeout.min(PATIENCE)
    }

    /// The server's time, where it said it and its chain holds then.
    pub fn server_time(&self) -> Option<Timestamp> {
        let greeting = self.greeting.as_ref()?;
        let time = *greeting.time.as_ref().ok()?;
        greeting.chain.holds_at(time).is_ok().then_some(time)
    }
}

fn reach(configuration: &Configuration) -> Result<SocketAddr, Unreached> {
    let (host, port) = host_and_port(&configuration.server_url).ok_or(Unreached::Address)?;
    let unknown = |why: String| Unreached::Name {
        host: host.clone(),
        why,
    };
    let addresses = (host.as_str(), port)
        .to_socket_addrs()
        .map_err(|why| unknown(why.to_string()))?;
    let mut last = unknown("the name has no address".into());
    let patience = configuration.network_timeout.min(PATIENCE);
    for to in addresses {
        match TcpStream::connect_timeout(&to, patience) {
            Ok(_) => return Ok(to),
            Err(why) => {
                let why = why.to_string();
                last = Unreached::Connection { to, why };
            }
        }
    }
    Err(last)
}

/// Of `https://host[:port][/path]`, an address of version 6 in brackets.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(443), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

fn greet(configuration: &Configuration, trusted: &Trusted) -> Option<Greeting> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (config, chain) = tls::client_config_for_time(trusted.server(), clock).ok()?;
    let patience = configuration.network_timeout.min(PATIENCE);
    let client = Client::new(&configuration.server_url, Arc::new(config), patience);
    let time = client.and_then(|client| client.time());
    Some(Greeting {
        time: time.map(|said| Timestamp::from_secs(said.time.as_secs())),
        chain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let of = |url| host_and_port(url);
        let host = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("https://enlist.test:8443/x"), host("enlist.test", 8443));
        assert_eq!(of("https://enlist.test"), host("enlist.test", 443));
        assert_eq!(of("https://[::1]:8443"), host("::1", 8443));
        assert_eq!(of("https://[::1]"), host("::1", 443));
        for bad in ["https://", "https://:1", "https://a:b", "https://[::1", "a"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
