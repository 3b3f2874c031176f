//! A manufacturer's line, beside a server.

use enlist_wire::{
    AttestationKind, Enrollment, EventsQuery, ImportManufacturer, ManufacturerInFull, NewGroup,
    WithoutProof, ZeroTouch,
};

use super::hall::Hall;

/// What the scripts have at hand, beyond those of the hall.
pub const TOOLS: &str = r#"
test -e ca.cnf || { touch index.txt; cat > ca.cnf << END
[ca]
default_ca = line
[line]
database = index.txt
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
preserve = yes
[any]
organizationName = optional
commonName = optional
serialNumber = optional
END
}
FOREVER=99991231235959Z
# certify NAME SUBJECT ISSUER EXTENSIONS [START END]: NAME.crt over NAME.key, which is made where it is not there
certify() {
  test -e $1.key || key $1.key
  printf '%b' "[x]\n$4\n" > $1.ext
  self=; test $1 != $3 || self=-selfsign
  openssl req -new -key $1.key -subj "$2" -out $1.csr
  openssl ca -batch -notext -config ca.cnf $self -cert $3.crt -keyfile $3.key -in $1.csr -out $1.crt -extfile $1.ext \
    -extensions x -startdate ${5:-20200101000000Z} -enddate ${6:-$FOREVER} 2> log || { cat log >&2; false; }
}
CA='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
LEAF='basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid'
# root NAME, between NAME ROOT: CAs
root() { key $1.key; certify $1 "/O=$1/CN=$1 root" $1 "$CA"; }
between() { certify $1 "/O=$2/CN=$1" $2 "$CA"; }
# device NAME SERIAL ISSUER [EXTENSIONS START END]: one from the line, and NAME.pem with all of its chain
device() { n=$1; s=$2; i=$3; shift 3; certify $n "/O=$i/serialNumber=$s" $i "${@:-$LEAF}"; cat $n.crt $i.crt > $n.pem; }
# enroll DEVICE KEY [NAME=VALUE …]: asks for a certificate over KEY, showing DEVICE's; the status out
enroll() {
  d=$1; k=$2; shift 2; test -e $k.key || key $k.key
  test -e $k.token || printf 'edt_%s' $(head -c 32 /dev/urandom | base64 -w0 | tr +/ -_ | tr -d =) > $k.token
  python3 - "$k" "$(csr $k.key /CN=x)" "${GROUP:-lamps}" "$@" << 'END' > request
import json, sys
key, csr, group, *more = sys.argv[1:]
asked = {"group": group, "csr": csr, "device_token": open(key + ".token").read(), "attestation": {"idevid": {}}}
for one in more:
    name, value = one.split("=", 1)
    asked[name] = json.loads(value)
print(json.dumps({k: v for k, v in asked.items() if v is not None}))
END
  shown=; test $d = - || shown="--cert $d.pem --key $d.key"
  curl -sS --cacert root.pem $shown $CURL -H 'Content-Type: application/json' --data @request -o body -w '%{http_code}' \
    https://$HOST/v1/device/enroll
}
CURL=
"#;

/// A hall with the manufacturer `acme`, whose root is imported, and a CA of its, `plant`.
pub struct Factory {
    pub hall: Hall,
}

impl Factory {
    pub fn new() -> Self {
        let factory = Self { hall: Hall::new() };
        factory.sh("root acme; between plant acme");
        factory.import("acme", "acme.crt");
        factory
    }

    /// With a group `lamps` that takes IDevIDs.
    pub fn with_lamps() -> Self {
        let factory = Self::new();
        factory.group("lamps", Enrollment::Open, WithoutProof::Refuse);
        factory
    }

    pub fn group(&self, name: &str, enrollment: Enrollment, without_proof: WithoutProof) {
        self.hall.group_with(&NewGroup {
            enrollment,
            zero_touch: Some(ZeroTouch {
                accept: vec![AttestationKind::Idevid],
                manifest: None,
                without_proof,
            }),
            ..NewGroup::named(name)
        });
    }

    /// Imports the CAs in these files.
    pub fn import(&self, name: &str, files: &str) -> ManufacturerInFull {
        let import = ImportManufacturer {
            name: name.to_owned(),
            certificates: files.split(' ').map(|file| self.hall.read(file)).collect(),
        };
        self.hall
            .rig
            .admin()
            .import_manufacturer("default", &import)
            .unwrap()
    }

    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        self.hall.sh(&format!("{TOOLS}\n{script}"))
    }

    /// Runs a script that ends in [`enroll`], and returns status and reply.
    #[track_caller]
    pub fn asks(&self, script: &str) -> (u16, serde_json::Value) {
        let (status, body) = self.hall.answer(&format!("{TOOLS}\n{script}"));
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// The same of one that gets in; its name comes back.
    #[track_caller]
    pub fn enters(&self, script: &str) -> String {
        let (status, reply) = self.asks(script);
        assert_eq!(status, 200, "{reply}");
        reply["name"].as_str().unwrap().to_owned()
    }

    /// The same of one that is refused; status and slug come back.
    #[track_caller]
    pub fn refusal(&self, script: &str) -> (u16, String) {
        let (status, reply) = self.asks(script);
        let slug = reply["type"].as_str().unwrap_or_default();
        let slug = slug.rsplit(':').next().unwrap_or_default();
        assert!(status >= 400, "{status}: {reply}");
        (status, slug.to_owned())
    }

    /// What the refusal says to people.
    #[track_caller]
    pub fn detail(&self, script: &str) -> String {
        let (_, reply) = self.asks(script);
        reply["detail"].as_str().unwrap_or_default().to_owned()
    }

    /// What a device of this group has proved to be.
    pub fn attested(&self, group: &str, device: &str) -> Option<String> {
        let device = self.hall.rig.admin().device("default", group, device);
        let proved = device.unwrap().attested?;
        Some(format!("{:?}:{}", proved.kind, proved.value).to_lowercase())
    }

    /// A detail of the newest event of this kind.
    pub fn told(&self, kind: &str, detail: &str) -> Option<String> {
        let query = EventsQuery {
            limit: Some(1000),
            ..EventsQuery::default()
        };
        let page = self.hall.rig.admin().events("default", &query).unwrap();
        let event = page.items.iter().rfind(|event| event.kind == kind)?;
        Some(event.detail.get(detail)?.as_str()?.to_owned())
    }
}
