//! Which addresses are never called.
//!
//! Loopback and private networks are allowed: receivers on one's own network are what most
//! installations have, and an operator wrote the name. What is refused is what answers to whoever asks
//! from this machine, above all the metadata services of clouds, which hand out credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services of clouds outside the link-local range.
const METADATA: [IpAddr; 5] = [
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Oracle Cloud, old.
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    // Azure's host.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // AWS.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Google Cloud.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Why `address` is never called; `None` where it may be.
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    if METADATA.contains(&address) {
        return Some("a cloud's metadata service");
    }
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => forbidden(IpAddr::V4(v4)),
            None => forbidden_v6(v6),
        },
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    if address.octets()[0] == 0 {
        Some("an unspecified address")
    } else if address.is_link_local() {
        Some("a link-local address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.octets()[0] >= 240 {
        Some("a reserved or broadcast address")
    } else {
        None
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        Some("an unspecified address")
    } else if address.is_unicast_link_local() {
        Some("a link-local address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else {
        match address.segments() {
            // How long the prefix is, and so which IPv4 address it is, only its network knows (RFC 8215).
            [0x64, 0xff9b, 1, ..] => Some("a translated address"),
            // Two IPv4 addresses, one of them masked (RFC 4380): nobody's receiver is there.
            [0x2001, 0, ..] => Some("a Teredo address"),
            [0xfec0..=0xfeff, ..] => Some("a site-local address"),
            _ => None,
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), compatible, translated
/// (RFC 6052, and RFC 2765 before it), or 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |s: [u16; 8]| Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    match address.segments() {
        // Unspecified and loopback are of IPv6's own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        s @ ([0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _]) => Some(last(s)),
        [0x2002, high, low, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_is_refused_in_whatever_clothes() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "::ffff:0:169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1::169.254.169.254",
            "2001:0:a9fe:a9fe::1",
            "2001::5601:5601",
            "fec0::1",
            "feff::1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "::ffff:100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(forbidden(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn ones_own_network_is_allowed() {
        for address in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "198.51.100.7",
            "2001:db8::1",
        ] {
            assert_eq!(forbidden(address.parse().unwrap()), None, "{address}");
        }
    }
}
