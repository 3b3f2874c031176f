//! The address that a client on this machine would type.

use std::net::{IpAddr, SocketAddr};

/// The public URL, or else one made of the address that the server listens on.
pub fn base_url(public: Option<&str>, address: SocketAddr) -> String {
    let port = address.port();
    match (public, address.ip()) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, ip) if ip.is_unspecified() => format!("https://localhost:{port}"),
        (None, IpAddr::V4(ip)) => format!("https://{ip}:{port}"),
        (None, IpAddr::V6(ip)) => format!("https://[{ip}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_typed_as_it_is_told() {
        let url = |address: &str| base_url(None, address.parse().unwrap());
        assert_eq!(url("127.0.0.1:8443"), "https://127.0.0.1:8443");
        assert_eq!(url("0.0.0.0:1"), "https://localhost:1");
        assert_eq!(url("[::1]:1"), "https://[::1]:1");
        let address = "127.0.0.1:1".parse().unwrap();
        assert_eq!(
            base_url(Some("https://a.example/"), address),
            "https://a.example"
        );
    }
}
