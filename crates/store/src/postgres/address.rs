//! Where the database is, and how it is spoken to: what its URL says.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};

use super::tls::Tls;
use super::url::{Options, Problem, read};
use crate::OpenError;

/// How long one host may take to answer, where the URL says nothing.
const CONNECT: Duration = Duration::from_secs(10);
/// The same where there are others to try.
const CONNECT_ONE_OF_SEVERAL: Duration = Duration::from_secs(3);
/// Where Debian's PostgreSQL has its socket.
const SOCKET: &str = "/var/run/postgresql";

/// Where a database is, and how it is spoken to. Clones share what they have found out.
#[derive(Clone)]
pub(crate) struct Address {
    /// One of several places of one database each, in the order of the URL.
    pub(super) hosts: Vec<OneHost>,
    pub(super) tls: Tls,
    /// Which of them was the right one last.
    pub(super) last: Arc<AtomicUsize>,
    /// How often an answer has been waited for.
    pub(super) round_trips: Arc<AtomicU64>,
    /// Whether the log says that the database can't be used.
    pub(super) away: Arc<AtomicBool>,
    /// How many threads were not granted the connection that they want.
    pub(super) lacking: Arc<AtomicUsize>,
    /// How the server of the database proves who it is.
    pub(super) mode: Mode,
}

impl Address {
    /// How often an answer has been waited for, over all connections to it.
    pub(crate) fn round_trips(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.round_trips)
    }
}

/// One host of the database, and how it is spoken to.
#[derive(Clone)]
pub(super) struct OneHost {
    pub(super) config: Config,
    /// As people write it, without credentials.
    pub(super) name: String,
    /// How long it may take until it can be used.
    pub(super) limit: Duration,
    /// Whether what is said stays on this machine.
    pub(super) is_here: bool,
}

/// How TLS is used, with the meanings that libpq gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Never.
    Disable,
    /// Where the server has it; whoever it is.
    Prefer,
    /// Always; whoever it is.
    Require,
    /// Always, and a known CA vouches for the server, whatever its name.
    VerifyCa,
    /// Always, and a known CA vouches for the server by its name.
    VerifyFull,
}

impl Mode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Reads a database URL, and the files that it names, without connecting.
pub(crate) fn configure(url: &str) -> Result<Address, OpenError> {
    let (config, options) = read(url).map_err(unusable)?;
    let mode = mode(&options)?;
    let hosts = hosts(&config, mode).map_err(unusable)?;
    Ok(Address {
        tls: Tls::new(mode, &options).map_err(unusable)?,
        hosts,
        last: Arc::default(),
        round_trips: Arc::default(),
        away: Arc::default(),
        lacking: Arc::default(),
        mode,
    })
}

fn unusable(problem: Problem) -> OpenError {
    OpenError::Url(Arc::new(problem))
}

/// As libpq has it, `require` means `verify-ca` where there is something to verify with.
fn mode(options: &Options) -> Result<Mode, OpenError> {
    let mode = options.mode.unwrap_or(Mode::Prefer);
    match (mode, &options.root) {
        (Mode::Require, Some(_)) => Ok(Mode::VerifyCa),
        (Mode::VerifyCa | Mode::VerifyFull, None) => Err(unusable(Problem::NoRoot {
            mode: mode.as_str(),
        })),
        _ => Ok(mode),
    }
}

/// Each host with a configuration of its own, so that one that hangs does not take the others' time.
fn hosts(config: &Config, mode: Mode) -> Result<Vec<OneHost>, Problem> {
    if config.get_load_balance_hosts() != LoadBalanceHosts::Disable {
        return Err(Problem::Value {
            name: "load_balance_hosts",
            expected: "disable: the hosts are tried in order until one takes writes",
        });
    }
    let (named, addresses, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    let count = named.len().max(addresses.len()).max(1);
    let fits = |length: usize| length == 0 || length == count;
    if !fits(named.len()) || !fits(addresses.len()) || ports.len() > 1 && ports.len() != count {
        return Err(Problem::Hosts);
    }
    (0..count)
        .map(|at| {
            let host = match (named.get(at), addresses.get(at)) {
                (Some(host), _) => host.clone(),
                (None, Some(address)) => Host::Tcp(address.to_string()),
                (None, None) => Host::Unix(PathBuf::from(SOCKET)),
            };
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            let mut one = without_hosts(config, count);
            one.port(port);
            if let Some(address) = addresses.get(at) {
                one.hostaddr(*address);
            }
            let name = match &host {
                Host::Tcp(name) => {
                    one.host(name).ssl_mode(ssl_mode(mode));
                    format!("{name}:{port}")
                }
                #[cfg(unix)]
                Host::Unix(path) => {
                    // TLS is not for sockets of this machine, whatever the mode.
                    one.host_path(path).ssl_mode(SslMode::Disable);
                    path.display().to_string()
                }
            };
            Ok(OneHost {
                limit: one.get_connect_timeout().copied().unwrap_or(CONNECT),
                is_here: is_here(&host) || addresses.get(at).is_some_and(IpAddr::is_loopback),
                config: one,
                name,
            })
        })
        .collect()
}

fn ssl_mode(mode: Mode) -> SslMode {
    match mode {
        Mode::Disable => SslMode::Disable,
        Mode::Prefer => SslMode::Prefer,
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// All that `config` says but where, with our defaults where it says nothing.
fn without_hosts(config: &Config, hosts: usize) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    one.application_name(config.get_application_name().unwrap_or("enlist"));
    one.ssl_negotiation(config.get_ssl_negotiation());
    one.channel_binding(config.get_channel_binding());
    one.target_session_attrs(match config.get_target_session_attrs() {
        // One of several may be a standby: it is not told which.
        TargetSessionAttrs::Any if hosts > 1 => TargetSessionAttrs::ReadWrite,
        given => given,
    });
    one.connect_timeout(match config.get_connect_timeout() {
        Some(given) => *given,
        None if hosts > 1 => CONNECT_ONE_OF_SEVERAL,
        None => CONNECT,
    });
    // A database that vanished is noticed, and the next connection finds its successor.
    let vanished = Duration::from_secs(30);
    one.tcp_user_timeout(*config.get_tcp_user_timeout().unwrap_or(&vanished));
    one.keepalives(config.get_keepalives());
    one.keepalives_idle(config.get_keepalives_idle().min(vanished));
    one.keepalives_interval(
        config
            .get_keepalives_interval()
            .unwrap_or(Duration::from_secs(10)),
    );
    one.keepalives_retries(config.get_keepalives_retries().unwrap_or(3));
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(url: &str) -> Vec<String> {
        let address = configure(url).unwrap_or_else(|error| panic!("{url}: {error:?}"));
        address.hosts.into_iter().map(|host| host.name).collect()
    }

    #[test]
    fn hosts_come_in_order_each_with_its_port() {
        assert_eq!(names("postgres://u:p@one/db"), ["one:5432"]);
        assert_eq!(
            names("postgres://one:1,two,three:3/db?sslmode=disable"),
            ["one:1", "two:5432", "three:3"]
        );
        assert_eq!(
            names("postgres:///db?host=/run/here,%2Frun%2Fthere,away&port=1,2,3"),
            ["/run/here", "/run/there", "away:3"]
        );
        assert_eq!(names("postgres:///db"), [SOCKET]);
        assert_eq!(names("postgres:///db?hostaddr=10.0.0.1"), ["10.0.0.1:5432"]);
    }

    #[test]
    fn one_of_several_hosts_has_to_take_writes_and_to_answer_soon() {
        let several = configure("postgres://one,two/db").unwrap();
        for host in &several.hosts {
            assert_eq!(
                host.config.get_target_session_attrs(),
                TargetSessionAttrs::ReadWrite
            );
            assert_eq!(host.limit, CONNECT_ONE_OF_SEVERAL);
        }
        let one = configure("postgres://one/db").unwrap();
        assert_eq!(
            one.hosts[0].config.get_target_session_attrs(),
            TargetSessionAttrs::Any
        );
        let primary = configure("postgres://one/db?target_session_attrs=primary").unwrap();
        assert_eq!(
            primary.hosts[0].config.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
    }

    #[test]
    fn what_is_meant_otherwise_is_refused_with_what_to_do() {
        let refused = |url: &str| match configure(url).err() {
            Some(OpenError::Url(problem)) => problem.to_string(),
            other => panic!("{url}: {other:?}"),
        };
        for (query, says) in [
            ("sslmode=allow", "prefer"),
            ("sslmode=verify-full", "sslrootcert"),
            ("sslmode=verify-ca", "sslrootcert"),
            ("sslmode=sometimes", "verify-full"),
            ("load_balance_hosts=random", "in order"),
            ("target_session_attrs=read-only", "read-write"),
            ("sslcrl=here", "sslcrl"),
            ("sslcert=/no/such", "sslkey"),
            ("sslrootcert=/no/such/file&sslmode=require", "/no/such/file"),
            ("sslrootcert=system&sslmode=verify-full", "file"),
            ("port=1,2", "port"),
        ] {
            let words = refused(&format!("postgres://u:hunter2@db/enlist?{query}"));
            assert!(words.contains(says), "{query}: {words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
    }
}
