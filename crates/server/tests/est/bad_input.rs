//! What strangers send: refused in words, and nothing of it stays.

use std::time::{Duration, Instant};

use super::hall::Hall;

/// Nothing was enrolled by all of this.
#[track_caller]
fn nobody_is_in(hall: &Hall) {
    let devices = hall
        .rig
        .admin()
        .devices("default", "pumps", &Default::default());
    assert!(devices.unwrap().items.is_empty(), "nothing stays behind");
}

#[test]
fn requests_that_are_none() {
    let hall = Hall::with_pumps();
    let send = |make: &str| {
        hall.refusal(&format!(
            "{make} | est pumps/simpleenroll -u pump-1:$SECRET"
        ))
    };
    let plain = |slug: &str| (400, slug.to_owned());
    hall.sh("key k; csr k / > csr; base64 -d < csr > der; key other");
    assert_eq!(send("printf ''"), plain("invalid-request"));
    assert_eq!(send("cat der"), plain("invalid-request"), "bare DER");
    assert_eq!(send("echo 'no base64!'"), plain("invalid-request"));
    assert_eq!(send("head -c 100 csr"), plain("csr-malformed"));
    assert_eq!(
        send("cat root.pem"),
        plain("invalid-request"),
        "a certificate"
    );
    assert_eq!(
        send("(cat der; printf x) | base64"),
        plain("csr-trailing-bytes")
    );
    assert_eq!(
        send("(head -c -1 der; printf x) | base64"),
        plain("csr-wrong-signature")
    );
    assert_eq!(
        send("head -c 30000 /dev/zero | base64"),
        plain("csr-too-large")
    );
    // Its own key's place is taken by another's.
    let swapped = "python3 - << 'END'
import base64, subprocess
spki = lambda key: subprocess.run(['openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER'], capture_output=True).stdout
print(base64.b64encode(open('der', 'rb').read().replace(spki('k'), spki('other'))).decode())
END
cat swapped";
    let swapped = swapped.replace("<< 'END'", "> swapped << 'END'");
    hall.sh(swapped.rsplit_once('\n').unwrap().0);
    assert_eq!(send("cat swapped"), plain("csr-wrong-signature"));
    assert_eq!(
        send(
            "openssl req -new -newkey rsa:1024 -nodes -keyout r -subj / -outform DER 2> log | base64"
        ),
        plain("csr-weak-key")
    );
    nobody_is_in(&hall);
}

#[test]
fn bodies_come_in_lines_in_armour_and_in_chunks() {
    let hall = Hall::with_pumps();
    hall.sh("key k; openssl req -new -key k -subj / -outform DER > der");
    for (number, make) in [
        "base64 -w64 der",
        "base64 -w76 der | sed 's/$/\\r/'",
        "openssl req -in der -inform DER",
        "openssl req -in der -inform DER -newhdr",
    ]
    .iter()
    .enumerate()
    {
        for how in [
            "",
            "-H Transfer-Encoding:chunked",
            "--http1.1 -H Transfer-Encoding:chunked",
        ] {
            let answer = hall.answer(&format!(
                "{make} | est pumps/simpleenroll {how} -u pump-1:$SECRET"
            ));
            assert_eq!(answer.0, 200, "{number} {how}");
        }
    }
}

#[test]
fn other_types_methods_and_operations() {
    let hall = Hall::with_pumps();
    hall.sh("key k; csr k / > csr");
    let typed = |kind: &str| {
        hall.sh(&format!(
            "curl -sS --cacert root.pem -u pump-1:$SECRET -H 'Content-Type: {kind}' --data-binary @csr -o body -w '%{{http_code}}' $EST/pumps/simpleenroll"
        ))
    };
    assert_eq!(typed("application/x-www-form-urlencoded"), "415");
    assert_eq!(typed("application/json"), "415");
    assert_eq!(typed(""), "415", "none");
    nobody_is_in(&hall);
    assert_eq!(typed("Application/PKCS10; charset=us-ascii"), "200");

    let status = |options: &str, path: &str| {
        hall.sh(&format!(
            "curl -sS --cacert root.pem {options} -D head -o body -w '%{{http_code}}' $EST/{path}"
        ))
    };
    assert_eq!(status("", "simpleenroll"), "405");
    assert!(hall.read("head").to_lowercase().contains("allow: post"));
    let said = hall.read("body");
    assert!(
        said.contains("simpleenroll, simplereenroll and serverkeygen take a POST"),
        "{said}"
    );
    assert!(!said.contains("openapi"), "{said}");
    assert_eq!(status("-I", "pumps/simpleenroll"), "405");
    assert_eq!(status("-X DELETE", "cacerts"), "405");
    assert_eq!(status("-d x", "pumps/csrattrs"), "405");
    assert!(hall.read("head").to_lowercase().contains("allow: get"));
    assert_eq!(status("", "fullcmc"), "404");
    assert_eq!(status("-d x", "pumps/fullcmc"), "404");
    assert!(
        hall.read("body").contains("simpleenroll"),
        "{}",
        hall.read("body")
    );
    assert_eq!(status("-d x", "a/b/c"), "404");
}

#[test]
fn credentials_that_make_no_sense() {
    let hall = Hall::with_pumps();
    hall.sh("key k; csr k / > csr");
    let with = |authorization: &str| {
        hall.refusal(&format!(
            "est pumps/simpleenroll -H 'Authorization: {authorization}' < csr"
        ))
    };
    let basic =
        |user: &str| hall.refusal(&format!("est pumps/simpleenroll -u '{user}':$SECRET < csr"));
    assert_eq!(with("Bearer eat_x"), (401, "secret-missing".to_owned()));
    assert_eq!(with("Basic"), (401, "secret-missing".to_owned()));
    assert_eq!(with("Basic !!!"), (400, "invalid-request".to_owned()));
    assert_eq!(
        with("Basic cHVtcC0x"),
        (400, "invalid-request".to_owned()),
        "no colon"
    );
    assert_eq!(with("Basic cHVtcC0xOngK"), (401, "secret-wrong".to_owned()));
    assert_eq!(basic(""), (400, "invalid-name".to_owned()));
    assert_eq!(basic("Pump 1"), (400, "invalid-name".to_owned()));
    assert_eq!(basic("a.b.c/pump-1"), (400, "invalid-request".to_owned()));
    nobody_is_in(&hall);
}

#[test]
fn guessing_secrets_is_slowed_down_as_at_the_other_door() {
    let hall = Hall::with_pumps();
    hall.sh("key k; csr k / > csr");
    let secret = hall.read("secret");
    let start = &secret[..secret.len() - 43];
    hall.keep(&format!("{start}{}", "A".repeat(43)));
    let said = hall.sh(
        "for i in $(seq 21); do est pumps/simpleenroll -u pump-1:$SECRET < csr; echo; done | sort | uniq -c | tr -s ' '",
    );
    assert_eq!(said, "20 401\n 1 429");
    assert!(hall.read("head").to_lowercase().contains("retry-after: "));
    nobody_is_in(&hall);
}

#[test]
fn bodies_that_are_too_long_or_never_end() {
    let hall = Hall::with_pumps();
    // The server ends the connection before the client is done with sending.
    let long = "head -c 10485760 /dev/zero | tr '\\0' A | est pumps/simpleenroll --http1.1 -u pump-1:$SECRET";
    assert_eq!(hall.refusal(long), (413, "body-too-large".to_owned()));
    // Without its length it is cut off, and the client may see no more than that.
    let (_, said) = hall.run(&format!("{long} -H Transfer-Encoding:chunked"));
    assert!(said.contains("413") || said.contains("curl: ("), "{said}");

    let since = Instant::now();
    let never = "curl -sS --cacert root.pem --http1.1 -u pump-1:$SECRET -H 'Content-Type: application/pkcs10' \
        -H Transfer-Encoding:chunked -T . -X POST -D head -o body -w '%{http_code}' --max-time 50 $EST/pumps/simpleenroll < <(printf AAAA; sleep 40 2> log) || true";
    assert!(hall.sh(never).starts_with("408"), "{}", hall.read("head"));
    assert!(since.elapsed() < Duration::from_secs(45));
    nobody_is_in(&hall);
}
