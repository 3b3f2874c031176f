//! Issuing CAs come and go, and nobody is ever without a chain that verifies.

#![allow(clippy::unwrap_used)]

mod offline;
mod outside;
mod rollover;
mod servers;

use std::time::Duration;

use enlist_core::Clock;
use enlist_pki::path::{self, Anchors};
use enlist_pki::{Certificate, Usage};
use enlist_testkit::{FakeDevice, Rig};
use enlist_wire::{
    Ca, CaStanding, Client, Enrolled, Enrollment, ImportCa, NewCa, NewGroup, RetireCa,
};

const HOUR: Duration = Duration::from_secs(3600);
const NOW: RetireCa = RetireCa {
    overlap_h: None,
    force: true,
};

/// Makes the next issuing CA of tenant `default`.
fn next(client: &Client) -> Ca {
    let added = client.add_ca("default", &NewCa::default()).unwrap();
    assert_eq!(added.request, None);
    added.ca.unwrap()
}

fn standings(client: &Client, tenant: &str) -> Vec<CaStanding> {
    let cas = client.cas(tenant).unwrap().items;
    cas.iter().map(|ca| ca.standing).collect()
}

fn leaf(enrolled: &Enrolled) -> Certificate {
    Certificate::from_pem(&enrolled.certificate).unwrap()
}

/// Whether what came is whole: from the certificate to the root that came with it.
fn chains(rig: &Rig, enrolled: &Enrolled) -> bool {
    let certificates = [&enrolled.certificate, &enrolled.issuing_ca];
    let root = enrolled.chain.last().unwrap_or(&enrolled.root);
    let between = &enrolled.chain[..enrolled.chain.len().saturating_sub(1)];
    let all: Vec<_> = certificates
        .into_iter()
        .chain(between)
        .chain([root])
        .map(|pem| Certificate::from_pem(pem).unwrap())
        .collect();
    let now = rig.clock.now().as_secs();
    path::verify_up_to_root(&all.iter().collect::<Vec<_>>(), now).is_ok()
}

/// Whether a consumer that fetches its anchors at this moment takes the certificate.
fn is_anchored(rig: &Rig, client: &Client, certificate: &Certificate) -> bool {
    let authority = client.issuing_ca("default").unwrap();
    assert_eq!(authority.anchors[0], authority.anchor);
    let anchors = Anchors::from_pem(&authority.anchors.concat()).unwrap();
    let now = rig.clock.now().as_secs();
    path::verify(certificate.der(), &[], &anchors, now, Usage::Client).is_ok()
}

/// What is handed in to complete a request.
fn imported(certificates: &[&Certificate]) -> ImportCa {
    ImportCa {
        certificates: certificates.iter().map(|one| one.to_pem()).collect(),
    }
}

/// What a tenant has asked for last, PEM.
fn request_of(rig: &Rig, tenant: &str) -> String {
    let requests = rig.admin().ca_requests(tenant).unwrap().items;
    requests.last().unwrap().csr.clone()
}

/// A device of an open group of that tenant.
fn device(rig: &Rig, tenant: &str, name: &str) -> FakeDevice {
    let group = NewGroup {
        enrollment: Enrollment::Open,
        ..NewGroup::named(format!("group-of-{name}"))
    };
    let created = rig.admin().create_group(tenant, &group).unwrap();
    let secret = created.secret.unwrap().secret.expose().to_owned();
    let mut device = rig.device(&group.name, name, &secret);
    device.tenant = tenant.to_owned();
    device
}
