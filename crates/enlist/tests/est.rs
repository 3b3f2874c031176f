//! strongSwan, as Debian ships it, enrolls at a server of ours.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use enlist_testkit::installed;
use rig::Rig;

/// What it takes besides the server.
fn strongswan() -> bool {
    installed("pki", "strongswan-pki")
}

fn rig() -> Rig {
    let rig = Rig::new();
    rig.ok("cp ../data/root.pem root.pem");
    rig
}

fn key_and_request(rig: &Rig, name: &str) {
    rig.ok(&format!(
        "pki --gen --type ecdsa --size 256 --outform pem > {name}.key
         pki --req --type priv --in {name}.key --dn CN={name} > {name}.req"
    ));
}

#[test]
fn strongswan_enrolls_re_enrolls_and_fetches_cacerts_at_each_label() {
    if !strongswan() {
        return;
    }
    let rig = rig();
    rig.ok("enlist add tenant acme");
    rig.ok("enlist add group pumps --enrollment open > pumps.secret");
    rig.ok("enlist -t acme add group valves --enrollment open > valves.secret");
    rig.ok("enlist add secret -g default > default.secret");
    for (label, secret) in [
        ("/pumps", "pumps"),
        ("/acme.valves", "valves"),
        ("", "default"),
    ] {
        rig.ok("rm -f one.* two.* ca*.pem");
        let est = format!("--url {}{label}", rig.url);
        rig.ok(&format!(
            "pki --estca {est} --cacert root.pem --caout ca.pem --outform pem"
        ));
        let cas = rig
            .files(".")
            .into_iter()
            .filter(|name| name.starts_with("ca"));
        let cas: String = cas.map(|name| format!(" --cacert {name}")).collect();
        key_and_request(&rig, "one");
        rig.ok(&format!(
            "pki --est {est} --in one.req --cacert root.pem{cas} \
               --userpass one:$(cat {secret}.secret) --outform pem > one.crt
             openssl x509 -in one.crt -noout -subject | grep 'CN = one'"
        ));
        rig.ok(&format!(
            "pki --gen --type ecdsa --size 256 --outform pem > two.key
             pki --req --type priv --in two.key --dn CN=one > two.req
             pki --est {est} --in two.req --cacert root.pem{cas} --cert one.crt --key one.key --outform pem > two.crt
             openssl x509 -in two.crt -noout -pubkey > two.pub
             openssl pkey -in two.key -pubout | cmp - two.pub"
        ));
    }
    rig.ok("enlist get device one -g pumps");
}

#[test]
fn strongswan_waits_until_a_person_has_approved() {
    if !strongswan() {
        return;
    }
    let rig = rig();
    rig.ok("enlist add group pumps --enrollment approve > secret");
    key_and_request(&rig, "one");
    // It forgets the label when it asks again, so that the group stands in the user name.
    let est = format!(
        "pki --est --url {} --in one.req --cacert root.pem --cacert ca.pem --cacert ca-1.pem \
         --userpass pumps/one:$(cat secret) --interval 1 --maxpolltime 60 --outform pem",
        rig.url
    );
    rig.ok(&format!(
        "pki --estca --url {}/pumps --cacert root.pem --caout ca.pem --outform pem
         ({est} > one.crt 2> log; echo $? > ended) &
         for i in $(seq 100); do enlist approve device one -g pumps 2> approve && break; sleep 0.1; done
         wait; test $(cat ended) = 0 || {{ cat log >&2; exit 1; }}
         openssl x509 -in one.crt -noout -subject | grep 'CN = one'",
        rig.url
    ));
}
