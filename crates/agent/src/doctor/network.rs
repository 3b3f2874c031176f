//! Whether the server's name has an address, and whether anybody answers there.

use super::Finding;
use super::patient::{Patient, Unreached};

pub(super) fn check(patient: &Patient) -> Finding {
    match &patient.reached {
        Ok(to) => Finding::ok(format!("connected to {to}")),
        Err(Unreached::Address) => Finding::failed(
            format!("`{}` is no address", patient.configuration.server_url),
            "write server_url as https://enlist.example.com:8443",
        ),
        Err(Unreached::Name { host, why }) => Finding::failed(
            format!("the name `{host}` leads nowhere: {why}"),
            "see whether this device has a network and a name server, and whether server_url is right",
        ),
        Err(Unreached::Connection { to, why }) => Finding::failed(
            format!("{to} does not answer: {why}"),
            "see whether the server is up, whether the port in server_url is right, and what stands \
             in between (routes, firewalls)",
        ),
    }
}
