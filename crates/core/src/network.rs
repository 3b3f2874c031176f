//! Ranges of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A range of addresses, such as `10.0.0.0/8`, `2001:db8::/32`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// Neither an address nor a range.
    #[error("`{0}` is no range of addresses: write one such as 10.0.0.0/8 or 2001:db8::/32")]
    Malformed(String),
    /// An address with a prefix that it does not end with.
    #[error("the address goes on behind the prefix: did you mean `{0}`?")]
    Loose(String),
}

impl Network {
    /// Whether the address is in it. An IPv4 address is the same when it comes in IPv6's clothes
    /// (`::ffff:10.0.0.1`).
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let malformed = || InvalidNetwork::Malformed(text.chars().take(64).collect());
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| malformed())?,
        };
        if net != net.trunc() {
            return Err(InvalidNetwork::Loose(net.trunc().to_string()));
        }
        let IpNet::V6(six) = net else {
            return Ok(Self(net));
        };
        // One of mapped addresses is one of IPv4's.
        match (
            six.addr().to_ipv4_mapped(),
            six.prefix_len().checked_sub(96),
        ) {
            (Some(four), Some(prefix)) => {
                let four = Ipv4Net::new(four, prefix).map_err(|_| malformed())?;
                Ok(Self(four.into()))
            }
            _ => Ok(Self(net)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn has(net: &str, address: &str) -> bool {
        network(net).contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        for (net, address) in [
            ("10.0.0.0/8", "10.255.255.255"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("10.1.2.3", "::ffff:10.1.2.3"),
            ("2001:db8::/32", "2001:db8:ffff::1"),
            ("::1", "::1"),
            ("0.0.0.0/0", "192.0.2.1"),
            ("::/0", "2001:db8::1"),
        ] {
            assert!(has(net, address), "{net} {address}");
        }
        for (net, address) in [
            ("10.0.0.0/8", "11.0.0.0"),
            ("10.0.0.0/8", "::10.1.2.3"),
            ("10.0.0.0/8", "::1"),
            ("2001:db8::/32", "2001:db9::1"),
            ("::/0", "10.0.0.1"),
            ("::/0", "::ffff:10.0.0.1"),
            ("10.1.2.3", "10.1.2.4"),
        ] {
            assert!(!has(net, address), "{net} {address}");
        }
    }

    #[test]
    fn ranges_are_written_as_they_are_read() {
        for text in ["10.0.0.0/8", "2001:db8::/32", "::/0"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("10.1.2.3").to_string(), "10.1.2.3/32");
        assert_eq!(network("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
        assert_eq!(
            "10.1.2.3/8".parse::<Network>(),
            Err(InvalidNetwork::Loose("10.0.0.0/8".to_owned()))
        );
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "x",
            "10.0.0.0/",
            "::/129",
            "fe80::1%eth0",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
