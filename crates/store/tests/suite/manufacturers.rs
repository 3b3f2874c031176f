//! Whose hardware is believed.

use enlist_core::{Digest, ManufacturerRecord};

use crate::rig::{Home, NOW, Rig, name, read, write};

fn acme(home: &Home, certificates: &str) -> ManufacturerRecord {
    ManufacturerRecord {
        tenant: home.tenant.id,
        name: name("acme"),
        certificates: certificates.to_owned(),
        digest: Digest::of(certificates.as_bytes()),
        created_at: NOW,
    }
}

pub async fn a_manufacturer_is_replaced_and_deleted_in_its_own_tenant_alone(rig: &Rig) {
    let store = rig.open();
    let own = rig.home(&store, "own").await;
    let stranger = rig.home(&store, "stranger").await;
    let (first, theirs) = (acme(&own, "first"), acme(&stranger, "theirs"));
    for record in [&first, &theirs] {
        let record = record.clone();
        write(&store, move |tx| tx.put_manufacturer(&record)).await;
    }
    let second = acme(&own, "second");
    let record = second.clone();
    write(&store, move |tx| tx.put_manufacturer(&record)).await;
    let (tenant, other) = (own.tenant.id, stranger.tenant.id);
    let found = read(&store, move |tx| tx.manufacturer(tenant, &name("acme"))).await;
    assert_eq!(found, Some(second.clone()));
    let digests = read(&store, move |tx| tx.manufacturer_digests(tenant)).await;
    assert_eq!(digests, [(name("acme"), second.digest)]);
    let delete = async || {
        write(&store, move |tx| {
            tx.delete_manufacturer(tenant, &name("acme"))
        })
        .await
    };
    assert!(delete().await);
    assert!(!delete().await, "it is gone");
    let left = read(&store, move |tx| tx.manufacturer(other, &name("acme"))).await;
    assert_eq!(left, Some(theirs));
}
